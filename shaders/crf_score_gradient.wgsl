// Gradient of the score of a path of tags, one thread per sequence and tag: the thread owns that tag's column of both
// gradients. Tags are stored as floats; positions with a negative one are left out.
// From the kernel's signature: p, path [sequences, length], gradient [sequences], emissionsGradient [sequences, length,
// tags], transitionsGradient [sequences, tags, tags].

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.sequences * p.tags) { return; }
  let sequence = i / p.tags;
  let own = i % p.tags;
  let pairs = sequence * p.tags * p.tags + own;
  for (var before = 0u; before < p.tags; before++) { transitionsGradient[pairs + before * p.tags] = 0.0; }
  var previous = -1.0;
  for (var t = 0u; t < p.length; t++) {
    let at = sequence * p.length + t;
    let tag = path[at];
    let here = tag == f32(own);
    emissionsGradient[at * p.tags + own] = select(0.0, gradient[sequence], here);
    if (here && previous >= 0.0) { transitionsGradient[pairs + u32(previous) * p.tags] += gradient[sequence]; }
    if (tag >= 0.0) { previous = tag; }
  }
}
