// Layer norm over the last dimension of [rows, columns]: y = (x - mean) * scale * weight + bias with
// scale = 1 / sqrt(variance + epsilon). Mean and scale are kept for the gradient. The variance is summed around the
// mean, in a second pass, so that rows far from zero do not lose their digits.
// From the kernel's signature: p, x, weight, bias, y, mean, scale; a strip is a row.

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer * p.columns;
  var sum = 0.0;
  for (var c = at.lane; c < p.columns; c += ALONG) { sum += x[row + c]; }
  let centre = sumOf(thread, sum) / f32(p.columns);
  var squares = 0.0;
  for (var c = at.lane; c < p.columns; c += ALONG) {
    let difference = x[row + c] - centre;
    squares += difference * difference;
  }
  let factor = inverseSqrt(sumOf(thread, squares) / f32(p.columns) + p.epsilon);
  for (var c = at.lane; c < p.columns; c += ALONG) {
    y[row + c] = (x[row + c] - centre) * factor * weight[c] + bias[c];
  }
  if (at.lane == 0u) {
    mean[at.outer] = centre;
    scale[at.outer] = factor;
  }
}
