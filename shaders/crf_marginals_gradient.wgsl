// Gradient of a linear chain's log-marginals: reverse mode through their recursion (first to last position), then
// through the forward algorithm (last to first). One workgroup per sequence; a thread takes every 32nd tag, in the
// first sweep that tag's column of the transitions and in the second its row.
// From the kernel's signature: p, transitions, mask, filtered, incoming, marginals, gradient [sequences, length, tags],
// emissionsGradient, transitionsGradient.

// First sweep: of the position before, the marginals' gradient, and filtered - marginals.
// Second sweep: of the position after, the gradient of incoming, and incoming.
var<workgroup> carried: array<f32, MOST_TAGS>;
var<workgroup> offsets: array<f32, MOST_TAGS>;
var<workgroup> ofRow: array<f32, MOST_TAGS>; // gradient of this position's filtered

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let sequence = workgroupIndex(group, groups);
  if (sequence >= p.sequences) { return; }
  let pairs = sequence * p.tags * p.tags;
  for (var j = thread; j < p.tags; j += THREADS) {
    for (var i = 0u; i < p.tags; i++) { transitionsGradient[pairs + i * p.tags + j] = 0.0; }
  }

  // What each marginal gives to the one before it; kept in the emissions' gradient until the second sweep.
  var first = true;
  for (var t = 0u; t < p.length; t++) {
    let at = sequence * p.length + t;
    let row = at * p.tags;
    let kept = mask[at] != 0.0;
    for (var j = thread; j < p.tags; j += THREADS) {
      var sum = 0.0;
      if (kept && !first) {
        let score = marginals[row + j] - incoming[row + j];
        for (var i = 0u; i < p.tags; i++) {
          let part = carried[i] * expOf(transitions[i * p.tags + j] + score + offsets[i]);
          transitionsGradient[pairs + i * p.tags + j] += part;
          sum += part;
        }
      }
      emissionsGradient[row + j] = sum;
    }
    if (!kept) { continue; }
    workgroupBarrier();
    for (var j = thread; j < p.tags; j += THREADS) {
      carried[j] = gradient[row + j] + emissionsGradient[row + j];
      offsets[j] = filtered[row + j] - marginals[row + j];
    }
    workgroupBarrier();
    first = false;
  }

  // Columns of the transitions' gradient change hands.
  storageBarrier();
  workgroupBarrier();
  var last = true;
  for (var t = p.length; t > 0u; t--) {
    let at = sequence * p.length + t - 1u;
    let row = at * p.tags;
    if (mask[at] == 0.0) { continue; }
    for (var i = thread; i < p.tags; i += THREADS) {
      var sum = gradient[row + i] + emissionsGradient[row + i];
      for (var j = 0u; j < p.tags && !last; j++) {
        let part = carried[j] * expOf(filtered[row + i] + transitions[i * p.tags + j] - offsets[j]);
        transitionsGradient[pairs + i * p.tags + j] += part;
        sum += part;
      }
      ofRow[i] = sum;
    }
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < p.tags; i++) { total += ofRow[i]; }
    for (var i = thread; i < p.tags; i += THREADS) {
      let own = ofRow[i] - expOf(filtered[row + i]) * total;
      carried[i] = own - emissionsGradient[row + i];
      offsets[i] = incoming[row + i];
      emissionsGradient[row + i] = own;
    }
    workgroupBarrier();
    last = false;
  }
}
