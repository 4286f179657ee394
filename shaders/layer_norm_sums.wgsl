// Sums that the gradients of layer norm's weight and bias are made of, over the rows of [rows, columns], chunk by chunk:
// of g (the bias) and of g times the normalised input (the weight). One thread per chunk and column.

struct Parameters { rows: u32, columns: u32, chunk: u32, chunks: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> biasSums: array<f32>;
@group(0) @binding(6) var<storage, read_write> weightSums: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.chunks * p.columns) { return; }
  let c = i % p.columns;
  let begin = (i / p.columns) * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  var biasSum = 0.0;
  var weightSum = 0.0;
  for (var row = begin; row < end; row++) {
    let g = gradient[row * p.columns + c];
    biasSum += g;
    weightSum += g * (x[row * p.columns + c] - mean[row]) * scale[row];
  }
  biasSums[i] = biasSum;
  weightSums[i] = weightSum;
}
