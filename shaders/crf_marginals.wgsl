// Logarithms of the tags' marginal probabilities in a linear chain, from the last position to the first. One workgroup
// per sequence; a thread takes every 32nd tag. Where the mask is 0 they are 0.
// From the kernel's signature: p, transitions, mask, filtered, incoming, marginals.

var<workgroup> later: array<f32, MOST_TAGS>; // marginals - incoming of the position after

/// log sum_j exp(transitions[tag, j] + later[j])
fn leaving(tag: u32) -> f32 {
  let row = tag * p.tags;
  var largest = transitions[row] + later[0];
  for (var j = 1u; j < p.tags; j++) { largest = max(largest, transitions[row + j] + later[j]); }
  var sum = 0.0;
  for (var j = 0u; j < p.tags; j++) { sum += expOf(transitions[row + j] + later[j] - largest); }
  return largest + logOf(sum);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let sequence = workgroupIndex(group, groups);
  if (sequence >= p.sequences) { return; }
  var last = true;
  for (var t = p.length; t > 0u; t--) {
    let at = sequence * p.length + t - 1u;
    let row = at * p.tags;
    let kept = mask[at] != 0.0;
    for (var i = thread; i < p.tags; i += THREADS) {
      var value = 0.0;
      if (kept) { value = filtered[row + i]; }
      if (kept && !last) { value += leaving(i); }
      marginals[row + i] = value;
    }
    if (!kept) { continue; }
    workgroupBarrier();
    for (var i = thread; i < p.tags; i += THREADS) { later[i] = marginals[row + i] - incoming[row + i]; }
    workgroupBarrier();
    last = false;
  }
}
