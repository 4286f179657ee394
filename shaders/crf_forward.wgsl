// The forward algorithm of a linear chain in the logarithm, one workgroup per sequence; a thread takes every 32nd tag.
// Each step is normalised, so that no number grows with the length. Positions whose mask is 0 are skipped.
// From the kernel's signature: p, emissions, transitions, mask, filtered, incoming, logPartition.

var<workgroup> previous: array<f32, MOST_TAGS>; // filtered of the position before
var<workgroup> scores: array<f32, MOST_TAGS>; // of this position, before they are normalised

/// log sum_i exp(previous[i] + transitions[i, tag])
fn arriving(tag: u32) -> f32 {
  var largest = previous[0] + transitions[tag];
  for (var i = 1u; i < p.tags; i++) { largest = max(largest, previous[i] + transitions[i * p.tags + tag]); }
  var sum = 0.0;
  for (var i = 0u; i < p.tags; i++) { sum += expOf(previous[i] + transitions[i * p.tags + tag] - largest); }
  return largest + logOf(sum);
}

/// log sum_j exp(scores[j])
fn normaliser() -> f32 {
  var largest = scores[0];
  for (var j = 1u; j < p.tags; j++) { largest = max(largest, scores[j]); }
  var sum = 0.0;
  for (var j = 0u; j < p.tags; j++) { sum += expOf(scores[j] - largest); }
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
  var total = 0.0;
  var first = true;
  for (var t = 0u; t < p.length; t++) {
    if (mask[sequence * p.length + t] == 0.0) { continue; }
    let row = (sequence * p.length + t) * p.tags;
    for (var j = thread; j < p.tags; j += THREADS) {
      var sum = 0.0;
      if (!first) { sum = arriving(j); }
      incoming[row + j] = sum;
      scores[j] = emissions[row + j] + sum;
    }
    workgroupBarrier();
    let step = normaliser();
    for (var j = thread; j < p.tags; j += THREADS) {
      previous[j] = scores[j] - step;
      filtered[row + j] = scores[j] - step;
    }
    workgroupBarrier();
    total += step;
    first = false;
  }
  if (thread == 0u) { logPartition[sequence] = total; }
}
