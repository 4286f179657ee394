// Divergences of softmax(factor reference) and softmax(factor logits) for each row of [rows, columns].
// The notes [rows, 6] are for the gradient: of the reference, then of the logits, the largest entry, the logarithm of
// the sum of exponentials beside it, and the expectation that the gradient subtracts.
// From the kernel's signature: p, reference, logits, output, notes; from a loss_row file: how a row is shared; filled
// in: the parts of both expectations, of log-probabilities l.

fn scaled(i: u32) -> vec2f { return p.factor * vec2f(reference[i], logits[i]); }

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(num_workgroups) groups: vec3u,
) {
  let row = rowOf(id, group, groups);
  if (row >= p.rows) { return; }
  let lane = laneOf(local);
  let begin = row * p.columns;
  var most = scaled(begin);
  for (var c = lane; c < p.columns; c += ROW_THREADS) { most = max(most, scaled(begin + c)); }
  let shift = largestOfRow(most, lane);
  var sums = vec2f(0.0);
  for (var c = lane; c < p.columns; c += ROW_THREADS) { sums += exp(scaled(begin + c) - shift); }
  let logTotal = log(totalOfRow(sums, lane));
  var parts = vec2f(0.0);
  for (var c = lane; c < p.columns; c += ROW_THREADS) {
    // One after the other: their sum would have lost the logarithm beside a large entry.
    let l = scaled(begin + c) - shift - logTotal;
    parts += TERMS;
  }
  let expectation = totalOfRow(parts, lane);
  if (lane != 0u) { return; }
  output[row] = p.weight * (expectation.x + expectation.y);
  for (var side = 0u; side < 2u; side++) {
    notes[6u * row + 3u * side] = shift[side];
    notes[6u * row + 3u * side + 1u] = logTotal[side];
    notes[6u * row + 3u * side + 2u] = expectation[side];
  }
}
