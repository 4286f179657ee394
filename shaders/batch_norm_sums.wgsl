// Sums that batch norm's gradients are made of, over the rows of [rows, channels], chunk by chunk: of g (the gradient of
// the bias) and of g times the normalised input (the gradient of the weight). One thread per chunk and channel.

struct Parameters { rows: u32, channels: u32, chunk: u32, chunks: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read_write> biasSums: array<f32>;
@group(0) @binding(6) var<storage, read_write> weightSums: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.chunks * p.channels) { return; }
  let c = i % p.channels;
  let begin = (i / p.channels) * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  let scale = inverseSqrt(variance[c] + p.epsilon);
  var biasSum = 0.0;
  var weightSum = 0.0;
  for (var row = begin; row < end; row++) {
    let g = gradient[row * p.channels + c];
    biasSum += g;
    weightSum += g * (x[row * p.channels + c] - mean[c]) * scale;
  }
  biasSums[i] = biasSum;
  weightSums[i] = weightSum;
}
