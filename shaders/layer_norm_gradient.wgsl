// The gradient of layer norm's input over [rows, columns]. With h = g weight and the normalised input n:
// dx = scale (h - mean(h) - n mean(h n)).
// From the kernel's signature: p, x, gradient, weight, mean, scale, dx; a strip is a row.

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer * p.columns;
  let centre = mean[at.outer];
  let factor = scale[at.outer];
  var part = vec2f();
  for (var c = at.lane; c < p.columns; c += ALONG) {
    let h = gradient[row + c] * weight[c];
    part += vec2f(h, h * (x[row + c] - centre));
  }
  let sums = sumOf(thread, part);
  let sum = sums.x / f32(p.columns);
  let product = sums.y * (factor / f32(p.columns));
  for (var c = at.lane; c < p.columns; c += ALONG) {
    let normalised = (x[row + c] - centre) * factor;
    dx[row + c] = factor * (gradient[row + c] * weight[c] - sum - normalised * product);
  }
}
