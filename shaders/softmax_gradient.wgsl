// Gradients of softmax and log-softmax from their outputs y, one thread per row of [rows, columns].
// From the kernel's signature: p, y, gradient, output.

// dx = y (g - sum(g y))
@compute @workgroup_size(64)
fn softmax(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var dot = 0.0;
  for (var c = 0u; c < p.columns; c++) { dot += gradient[row + c] * y[row + c]; }
  for (var c = 0u; c < p.columns; c++) { output[row + c] = y[row + c] * (gradient[row + c] - dot); }
}

// dx = g - exp(y) sum(g)
@compute @workgroup_size(64)
fn logSoftmax(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var sum = 0.0;
  for (var c = 0u; c < p.columns; c++) { sum += gradient[row + c]; }
  for (var c = 0u; c < p.columns; c++) { output[row + c] = gradient[row + c] - exp(y[row + c]) * sum; }
}
