// Batch norm over [rows, channels] with given statistics: y = (x - mean) / sqrt(variance + epsilon) * weight + bias.

struct Parameters { size: u32, channels: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.size) { return; }
  let c = i % p.channels;
  y[i] = (x[i] - mean[c]) * inverseSqrt(variance[c] + p.epsilon) * weight[c] + bias[c];
}
