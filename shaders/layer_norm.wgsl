// Layer norm over the last dimension of [rows, columns], one thread per row: y = (x - mean) * scale * weight + bias
// with scale = 1 / sqrt(variance + epsilon). Mean and scale are kept for the gradient. The variance is summed around
// the mean, in a second pass, so that rows far from zero do not lose their digits.
// From the kernel's signature: p, x, weight, bias, y, mean, scale.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
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
