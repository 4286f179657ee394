// The softmax family over the last dimension of [rows, columns], one thread per row. The largest entry is subtracted
// first, so that no exponential overflows.
// From the kernel's signature: p, input, output.

fn largest(row: u32) -> f32 {
  var value = input[row];
  for (var c = 1u; c < p.columns; c++) { value = max(value, input[row + c]); }
  return value;
}

fn total(row: u32, shift: f32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < p.columns; c++) { sum += exp(input[row + c] - shift); }
  return sum;
}

@compute @workgroup_size(64)
fn softmax(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  let shift = largest(row);
  let scale = 1.0 / total(row, shift);
  for (var c = 0u; c < p.columns; c++) { output[row + c] = exp(input[row + c] - shift) * scale; }
}

@compute @workgroup_size(64)
fn logSoftmax(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  let shift = largest(row);
  let logTotal = log(total(row, shift));
  // One after the other: their sum would have lost the logarithm beside a large entry.
  for (var c = 0u; c < p.columns; c++) { output[row + c] = input[row + c] - shift - logTotal; }
}
