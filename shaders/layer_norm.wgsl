// Layer norm over the last dimension of [rows, columns], one thread per row: y = (x - mean) * scale * weight + bias with
// scale = 1 / sqrt(variance + epsilon). Mean and scale are kept for the gradient. The variance is summed around the mean,
// in a second pass, so that rows far from zero do not lose their digits.

struct Parameters { rows: u32, columns: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> scale: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var sum = 0.0;
  for (var c = 0u; c < p.columns; c++) { sum += x[row + c]; }
  let centre = sum / f32(p.columns);
  var squares = 0.0;
  for (var c = 0u; c < p.columns; c++) {
    let difference = x[row + c] - centre;
    squares += difference * difference;
  }
  let factor = inverseSqrt(squares / f32(p.columns) + p.epsilon);
  for (var c = 0u; c < p.columns; c++) { y[row + c] = (x[row + c] - centre) * factor * weight[c] + bias[c]; }
  mean[i] = centre;
  scale[i] = factor;
}
