// Gradients of softmax and log-softmax from their outputs y over [rows, columns].
// From the kernel's signature: p, y, gradient, output; a strip is a row.

// dx = y (g - sum(g y))
@compute @workgroup_size(THREADS)
fn softmax(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer * p.columns;
  var part = 0.0;
  for (var c = at.lane; c < p.columns; c += ALONG) { part += gradient[row + c] * y[row + c]; }
  let dot = sumOf(thread, part);
  for (var c = at.lane; c < p.columns; c += ALONG) { output[row + c] = y[row + c] * (gradient[row + c] - dot); }
}

// dx = g - exp(y) sum(g)
@compute @workgroup_size(THREADS)
fn logSoftmax(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer * p.columns;
  var part = 0.0;
  for (var c = at.lane; c < p.columns; c += ALONG) { part += gradient[row + c]; }
  let sum = sumOf(thread, part);
  for (var c = at.lane; c < p.columns; c += ALONG) { output[row + c] = gradient[row + c] - expOf(y[row + c]) * sum; }
}
