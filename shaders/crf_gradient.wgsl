// Gradient of a linear chain's log-partition: marginal probabilities of tags and of pairs of neighbouring tags, from
// the last position to the first. One workgroup per sequence; a thread takes every 32nd tag, and of the transitions its
// row.
// From the kernel's signature: p, transitions, mask, filtered, incoming, gradient [sequences], emissionsGradient,
// transitionsGradient.

var<workgroup> later: array<f32, MOST_TAGS>; // marginals of the position after, times the gradient
var<workgroup> laterIncoming: array<f32, MOST_TAGS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let sequence = workgroupIndex(group, groups);
  if (sequence >= p.sequences) { return; }
  let pairs = sequence * p.tags * p.tags;
  for (var i = thread; i < p.tags; i += THREADS) {
    for (var j = 0u; j < p.tags; j++) { transitionsGradient[pairs + i * p.tags + j] = 0.0; }
  }
  var last = true;
  for (var t = p.length; t > 0u; t--) {
    let at = sequence * p.length + t - 1u;
    let row = at * p.tags;
    let kept = mask[at] != 0.0;
    for (var i = thread; i < p.tags; i += THREADS) {
      var sum = 0.0;
      if (kept && last) { sum = gradient[sequence] * expOf(filtered[row + i]); }
      if (kept && !last) {
        for (var j = 0u; j < p.tags; j++) {
          let both = later[j] * expOf(filtered[row + i] + transitions[i * p.tags + j] - laterIncoming[j]);
          transitionsGradient[pairs + i * p.tags + j] += both;
          sum += both;
        }
      }
      emissionsGradient[row + i] = sum;
    }
    if (!kept) { continue; }
    workgroupBarrier();
    for (var i = thread; i < p.tags; i += THREADS) {
      later[i] = emissionsGradient[row + i];
      laterIncoming[i] = incoming[row + i];
    }
    workgroupBarrier();
    last = false;
  }
}
