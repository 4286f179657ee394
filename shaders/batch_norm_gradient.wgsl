// The gradient of batch norm's input over [rows, channels]: dx = factor g + slope (x - mean) + offset, channel by
// channel. Each thread takes every step-th row of its channels.
// From the kernel's signature: p, x, gradient, coefficients ([4, channels]: factor, mean, slope, offset), dx.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  let width = p.channels / LANES;
  let step = threadCount(groups) / width;
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
