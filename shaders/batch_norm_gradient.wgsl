// The gradient of batch norm's input. With the batch's own statistics they depend on the input too:
// dx = weight / sqrt(variance + epsilon) * (g - (dbias + xhat dweight) / rows); with fixed ones only g remains.

struct Parameters { size: u32, channels: u32, rows: f32, epsilon: f32, training: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read> weight: array<f32>;
@group(0) @binding(6) var<storage, read> biasGradient: array<f32>;
@group(0) @binding(7) var<storage, read> weightGradient: array<f32>;
@group(0) @binding(8) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.size) { return; }
  let c = i % p.channels;
  let scale = inverseSqrt(variance[c] + p.epsilon);
  var g = gradient[i];
  if (p.training == 1u) {
    g -= (biasGradient[c] + (x[i] - mean[c]) * scale * weightGradient[c]) / p.rows;
  }
  dx[i] = g * scale * weight[c];
}
