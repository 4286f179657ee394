// Batch norm over [rows, channels] with given statistics, y = (x - mean) / sqrt(variance + epsilon) * weight + bias; where
// asked for, a residual is added and negative numbers become zero. Each thread takes every step-th row of its channels, so
// that it reads their numbers once.

struct Parameters { rows: u32, channels: u32, epsilon: f32, relu: u32 }

override residual: bool = false;

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> mean: array<Element>;
@group(0) @binding(3) var<storage, read> variance: array<Element>;
@group(0) @binding(4) var<storage, read> weight: array<Element>;
@group(0) @binding(5) var<storage, read> bias: array<Element>;
@group(0) @binding(6) var<storage, read> added: array<Element>;
@group(0) @binding(7) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let width = p.channels / LANES;
  let step = groups.x * groups.y * 64u / width;
  if (i >= step * width) { return; }
  let c = i % width;
  let centre = mean[c];
  let scale = inverseSqrt(variance[c] + p.epsilon) * weight[c];
  let shift = bias[c];
  for (var at = i; at < p.rows * width; at += step * width) {
    var value = (x[at] - centre) * scale + shift;
    if (residual) { value += added[at]; }
    y[at] = select(value, max(value, Element()), p.relu == 1u);
  }
}
