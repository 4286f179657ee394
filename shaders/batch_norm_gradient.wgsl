// The gradient of batch norm's input over [rows, channels]: dx = factor g + slope (x - mean) + offset, channel by channel.
// Each thread takes every step-th row of its channels.

struct Parameters { rows: u32, channels: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> gradient: array<Element>;
@group(0) @binding(3) var<storage, read> coefficients: array<Element>; // [4, channels]: factor, mean, slope, offset
@group(0) @binding(4) var<storage, read_write> dx: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let width = p.channels / LANES;
  let step = groups.x * groups.y * 64u / width;
  if (i >= step * width) { return; }
  let c = i % width;
  let factor = coefficients[c];
  let centre = coefficients[width + c];
  let slope = coefficients[2u * width + c];
  let offset = coefficients[3u * width + c];
  for (var at = i; at < p.rows * width; at += step * width) {
    dx[at] = factor * gradient[at] + slope * (x[at] - centre) + offset;
  }
}
