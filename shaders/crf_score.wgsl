// The score of a path of tags through each sequence, one thread per sequence. Tags are stored as floats; positions with
// a negative one are left out.
// From the kernel's signature: p, emissions [sequences, length, tags], transitions [tags, tags], path [sequences,
// length], output [sequences].

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let sequence = threadIndex(id, groups);
  if (sequence >= p.sequences) { return; }
  var sum = 0.0;
  var previous = -1.0;
  for (var t = 0u; t < p.length; t++) {
    let at = sequence * p.length + t;
    let tag = path[at];
    if (tag < 0.0) { continue; }
    sum += emissions[at * p.tags + u32(tag)];
    if (previous >= 0.0) { sum += transitions[u32(previous) * p.tags + u32(tag)]; }
    previous = tag;
  }
  output[sequence] = sum;
}
