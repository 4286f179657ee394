// Gradient of the score of a path of tags, one thread per sequence and tag: the thread owns that tag's column of both
// gradients. Tags are stored as floats; positions with a negative one are left out.

struct Parameters { sequences: u32, length: u32, tags: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> path: array<f32>; // [sequences, length]
@group(0) @binding(2) var<storage, read> gradient: array<f32>; // [sequences]
@group(0) @binding(3) var<storage, read_write> emissionsGradient: array<f32>; // [sequences, length, tags]
@group(0) @binding(4) var<storage, read_write> transitionsGradient: array<f32>; // [sequences, tags, tags]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
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
