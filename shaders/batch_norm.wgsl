// Batch norm over [rows, channels] with given statistics, y = (x - mean) / sqrt(variance + epsilon) * weight + bias;
// where asked for, a residual is added, negative numbers become zero, and those beyond 6 become that. Each thread takes
// every step-th row of its channels, so that it reads their numbers once.
// From the kernel's signature: p, x, mean, variance, weight, bias, added, y.

override residual: bool = false;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  let width = p.channels / LANES;
  let step = threadCount(groups) / width;
  if (i >= step * width) { return; }
  let c = i % width;
  let centre = mean[c];
  let scale = inverseSqrt(variance[c] + p.epsilon) * weight[c];
  let shift = bias[c];
  for (var at = i; at < p.rows * width; at += step * width) {
    var value = (x[at] - centre) * scale + shift;
    if (residual) { value += added[at]; }
    // Not max and min, which may make a number of NaN.
    if (p.activation > 0u) { value = select(value, Element(), value < Element()); }
    if (p.activation == 2u) { value = select(value, Element(6.0), value > Element(6.0)); }
    y[at] = value;
  }
}
