// Cross-entropy of each row of logits [rows, columns] with its label, with label smoothing e: -(1 - e) log p_y -
// e / C sum_c log p_c. The notes [rows, 2] are the largest logit and the logarithm of the sum of exponentials beside
// it: by both, and not by their sum, as that would have lost the logarithm beside a large logit.
// From the kernel's signature: p, logits, labels, output, notes; a strip is a row.

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer;
  let begin = row * p.columns;
  var most = logits[begin];
  for (var c = at.lane; c < p.columns; c += ALONG) { most = max(most, logits[begin + c]); }
  let shift = largestOf(thread, most);
  var sums = vec2f(0.0);
  for (var c = at.lane; c < p.columns; c += ALONG) {
    let x = logits[begin + c] - shift;
    sums += vec2f(expOf(x), x);
  }
  let totals = sumOf(thread, sums);
  if (at.lane != 0u) { return; }
  let logTotal = logOf(totals.x);
  let hard = logits[begin + u32(labels[row])] - shift - logTotal;
  // Without smoothing, a logit of minus infinity costs nothing where it is not the label's.
  var evenly = 0.0;
  if (p.smoothing > 0.0) { evenly = totals.y / f32(p.columns) - logTotal; }
  output[row] = -(1.0 - p.smoothing) * hard - p.smoothing * evenly;
  notes[2u * row] = shift;
  notes[2u * row + 1u] = logTotal;
}
