// The best paths of tags through each linear chain, one workgroup per sequence; a thread takes every 32nd tag. Origins
// and tags are whole numbers stored as floats. Positions whose mask is 0 are skipped.
// From the kernel's signature: p, emissions, transitions, mask, best and origins [sequences, length, tags, paths],
// scores [sequences, paths], path [sequences, paths, length].

const MOST_PATHS = 8u;
const NO_PATH = -1e30;

var<private> list: array<f32, MOST_PATHS>; // the best scores so far, from the best down
var<private> places: array<u32, MOST_PATHS>; // and where each came from

fn clearList() {
  for (var k = 0u; k < p.paths; k++) { list[k] = NO_PATH; }
}

fn insert(score: f32, origin: u32) {
  var k = p.paths;
  while (k > 0u) {
    if (score <= list[k - 1u]) { break; }
    if (k < p.paths) {
      list[k] = list[k - 1u];
      places[k] = places[k - 1u];
    }
    k--;
  }
  if (k < p.paths) {
    list[k] = score;
    places[k] = origin;
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let sequence = workgroupIndex(group, groups);
  if (sequence >= p.sequences) { return; }
  let ways = p.tags * p.paths;
  var before = 0u; // where the scores of the position before begin
  var first = true;
  for (var t = 0u; t < p.length; t++) {
    let at = sequence * p.length + t;
    if (mask[at] == 0.0) { continue; }
    for (var j = thread; j < p.tags; j += THREADS) {
      let emission = emissions[at * p.tags + j];
      clearList();
      if (first) { insert(emission, 0u); }
      for (var way = 0u; way < ways && !first; way++) {
        let score = best[before + way];
        if (score != NO_PATH) { insert(score + transitions[way / p.paths * p.tags + j] + emission, way); }
      }
      for (var k = 0u; k < p.paths; k++) {
        best[at * ways + j * p.paths + k] = list[k];
        origins[at * ways + j * p.paths + k] = f32(places[k]);
      }
    }
    before = at * ways;
    first = false;
    storageBarrier();
  }

  clearList();
  if (!first) {
    for (var way = 0u; way < ways; way++) { insert(best[before + way], way); }
  }
  // Every thread has found the same ends, and each follows every 32nd of them back.
  for (var k = thread; k < p.paths; k += THREADS) {
    scores[sequence * p.paths + k] = list[k];
    var place = places[k];
    for (var t = p.length; t > 0u; t--) {
      let at = sequence * p.length + t - 1u;
      var tag = -1.0;
      if (mask[at] != 0.0 && list[k] != NO_PATH) {
        tag = f32(place / p.paths);
        place = u32(origins[at * ways + place]);
      }
      path[(sequence * p.paths + k) * p.length + t - 1u] = tag;
    }
  }
}
