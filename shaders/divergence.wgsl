// Divergences of softmax(factor reference) and softmax(factor logits) for each row of [rows, columns].
// The notes [rows, 6] are for the gradient: of the reference, then of the logits, the largest entry, the logarithm of
// the sum of exponentials beside it, and the expectation that the gradient subtracts.
// From the kernel's signature: p, reference, logits, output, notes; a strip is a row; filled in: the parts
// of both expectations, of log-probabilities l.

fn expOfBoth(x: vec2f) -> vec2f { return vec2f(expOf(x.x), expOf(x.y)); }

fn scaled(i: u32) -> vec2f { return p.factor * vec2f(reference[i], logits[i]); }

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer;
  let begin = row * p.columns;
  var most = scaled(begin);
  for (var c = at.lane; c < p.columns; c += ALONG) { most = max(most, scaled(begin + c)); }
  let shift = largestOf(thread, most);
  var sums = vec2f(0.0);
  for (var c = at.lane; c < p.columns; c += ALONG) { sums += expOfBoth(scaled(begin + c) - shift); }
  let total = sumOf(thread, sums);
  let logTotal = vec2f(logOf(total.x), logOf(total.y));
  var parts = vec2f(0.0);
  for (var c = at.lane; c < p.columns; c += ALONG) {
    // One after the other: their sum would have lost the logarithm beside a large entry.
    let l = scaled(begin + c) - shift - logTotal;
    parts += TERMS;
  }
  let expectation = sumOf(thread, parts);
  if (at.lane != 0u) { return; }
  output[row] = p.weight * (expectation.x + expectation.y);
  for (var side = 0u; side < 2u; side++) {
    notes[6u * row + 3u * side] = shift[side];
    notes[6u * row + 3u * side + 1u] = logTotal[side];
    notes[6u * row + 3u * side + 2u] = expectation[side];
  }
}
