// Rows of a table [rows, columns] by their numbers, one thread per element of the result [count, columns].
// From the kernel's signature: p, table, indices, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.count * p.columns) { return; }
  output[i] = table[u32(indices[i / p.columns]) * p.columns + i % p.columns];
}
