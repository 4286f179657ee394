// Softmax over the last dimension of [rows, columns] that leaves out the columns where a mask is 0; one thread per row.
// `rowsPerMask` neighbouring rows share a row of the mask [rows / rowsPerMask, columns]. A row without any column left
// is zero.
// From the kernel's signature: p, input, mask, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  let maskRow = i / p.rowsPerMask * p.columns;
  var largest = 0.0;
  var seen = false;
  for (var c = 0u; c < p.columns; c++) {
    if (mask[maskRow + c] == 0.0) { continue; }
    largest = select(input[row + c], max(largest, input[row + c]), seen);
    seen = true;
  }
  var total = 0.0;
  for (var c = 0u; c < p.columns; c++) {
    if (mask[maskRow + c] != 0.0) { total += exp(input[row + c] - largest); }
  }
  // Asked this way round so that NaN passes: float comparisons are false for it, `!=` too in some compilers.
  let scale = select(1.0 / total, 0.0, total == 0.0);
  for (var c = 0u; c < p.columns; c++) {
    output[row + c] = select(0.0, exp(input[row + c] - largest) * scale, mask[maskRow + c] != 0.0);
  }
}
