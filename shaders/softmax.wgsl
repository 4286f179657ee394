// The softmax family over the last dimension of [rows, columns]. The largest entry is subtracted first, so that no
// exponential overflows.
// From the kernel's signature: p, input, output; a strip is a row.

fn largest(row: u32, lane: u32) -> f32 {
  var value = input[row];
  for (var c = lane; c < p.columns; c += ALONG) { value = max(value, input[row + c]); }
  return value;
}

fn total(row: u32, lane: u32, shift: f32) -> f32 {
  var sum = 0.0;
  for (var c = lane; c < p.columns; c += ALONG) { sum += expOf(input[row + c] - shift); }
  return sum;
}

@compute @workgroup_size(THREADS)
fn softmax(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer * p.columns;
  let shift = largestOf(thread, largest(row, at.lane));
  let scale = 1.0 / sumOf(thread, total(row, at.lane, shift));
  for (var c = at.lane; c < p.columns; c += ALONG) { output[row + c] = expOf(input[row + c] - shift) * scale; }
}

@compute @workgroup_size(THREADS)
fn logSoftmax(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer * p.columns;
  let shift = largestOf(thread, largest(row, at.lane));
  let logTotal = logOf(sumOf(thread, total(row, at.lane, shift)));
  // One after the other: their sum would have lost the logarithm beside a large entry.
  for (var c = at.lane; c < p.columns; c += ALONG) { output[row + c] = input[row + c] - shift - logTotal; }
}
