// Cross-entropy of each row of logits [rows, columns] with its label, with label smoothing e: -(1 - e) log p_y -
// e / C sum_c log p_c. The notes [rows, 2] are the largest logit and the logarithm of the sum of exponentials beside
// it: by both, and not by their sum, as that would have lost the logarithm beside a large logit.
// From the kernel's signature: p, logits, labels, output, notes; from a loss_row file: how a row is shared.

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
  var most = logits[begin];
  for (var c = lane; c < p.columns; c += ROW_THREADS) { most = max(most, logits[begin + c]); }
  let shift = largestOfRow(vec2f(most), lane).x;
  var sums = vec2f(0.0);
  for (var c = lane; c < p.columns; c += ROW_THREADS) {
    let x = logits[begin + c] - shift;
    sums += vec2f(exp(x), x);
  }
  let totals = totalOfRow(sums, lane);
  if (lane != 0u) { return; }
  let logTotal = log(totals.x);
  let hard = logits[begin + u32(labels[row])] - shift - logTotal;
  // Without smoothing, a logit of minus infinity costs nothing where it is not the label's.
  var evenly = 0.0;
  if (p.smoothing > 0.0) { evenly = totals.y / f32(p.columns) - logTotal; }
  output[row] = -(1.0 - p.smoothing) * hard - p.smoothing * evenly;
  notes[2u * row] = shift;
  notes[2u * row + 1u] = logTotal;
}
