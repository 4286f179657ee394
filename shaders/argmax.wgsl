// The index of the first largest entry of each row; one thread per row.
// From the kernel's signature: p, input, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var best = 0u;
  for (var c = 1u; c < p.columns; c++) {
    if (input[row + c] > input[row + best]) { best = c; }
  }
  output[i] = f32(best);
}
