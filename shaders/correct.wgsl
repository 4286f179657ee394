// 1 where the largest of a row's logits (the first, among equals) is the label's, else 0; one thread per row.
// From the kernel's signature: p, logits, labels, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var best = 0u;
  for (var c = 1u; c < p.columns; c++) {
    if (logits[row + c] > logits[row + best]) { best = c; }
  }
  output[i] = select(0.0, 1.0, best == u32(labels[i]));
}
