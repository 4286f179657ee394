// Sums (x - mean)^2 over the rows of [rows, channels], chunk by chunk: output [chunks, channels], from which the variance
// follows. A second pass over x, because the difference of two large sums would lose the digits that matter.

struct Parameters { rows: u32, channels: u32, chunk: u32, chunks: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.chunks * p.channels) { return; }
  let c = i % p.channels;
  let begin = (i / p.channels) * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  let centre = mean[c];
  var sum = 0.0;
  for (var row = begin; row < end; row++) {
    let difference = x[row * p.channels + c] - centre;
    sum += difference * difference;
  }
  output[i] = sum;
}
