// The index of the first largest entry of each row, and the ANSWER that is made of it; one thread per row.
// From the kernels' signatures: p, LOGITS [rows, columns], output [rows], and what ANSWER reads.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var best = 0u;
  for (var c = 1u; c < p.columns; c++) {
    if (LOGITS[row + c] > LOGITS[row + best]) { best = c; }
  }
  output[i] = ANSWER;
}
