// The gradient of an embedding's table: each row is the sum of the gradients at the places where its number stands. A
// GPU has no atomic addition of floats, and its order would change from run to run: so the places of one number are
// linked to a list first (occurrences.wgsl), and one thread walks it for each column.
// From the kernel's signature: p, indices [count], first [count], next [count], gradient [count, columns], and the
// table, zeros before: the rows from `begin` on of one that may be held as several.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.count * p.columns) { return; }
  let place = i / p.columns;
  let c = i % p.columns;
  let row = u32(indices[place]) - p.begin; // below `begin` it wraps to a large number
  if (first[place] == 0.0 || row >= p.rows) { return; }
  var sum = 0.0;
  for (var at = place; at < p.count; at = u32(next[at])) { sum += gradient[at * p.columns + c]; }
  table[row * p.columns + c] = sum;
}
