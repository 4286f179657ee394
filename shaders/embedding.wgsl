// Rows of a table [rows, columns] by their numbers, counted from `begin`, one thread per element of the result [count,
// columns]. A number of no row of this table is one of another's: a large table is held as several.
// From the kernel's signature: p, table, indices, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.count * p.columns) { return; }
  let row = u32(indices[i / p.columns]) - p.begin; // below `begin` it wraps to a large number
  if (row >= p.rows) { return; }
  output[i] = table[row * p.columns + i % p.columns];
}
