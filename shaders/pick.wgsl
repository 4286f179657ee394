// Takes one column from each row of [rows, columns], and the reverse: puts a row's number into its column, zero
// elsewhere. Indices are numbers of class or position, stored as floats.
// From the kernel's signature: p, input, indices, output.

@compute @workgroup_size(64)
fn pick(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  output[i] = input[i * p.columns + u32(indices[i])];
}

@compute @workgroup_size(64)
fn place(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows * p.columns) { return; }
  let row = i / p.columns;
  output[i] = select(0.0, input[row], i % p.columns == u32(indices[row]));
}
