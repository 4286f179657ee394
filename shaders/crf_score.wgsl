// The score of a path of tags through each sequence, one thread per sequence. Tags are stored as floats; positions with
// a negative one are left out.

struct Parameters { sequences: u32, length: u32, tags: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> emissions: array<f32>; // [sequences, length, tags]
@group(0) @binding(2) var<storage, read> transitions: array<f32>; // [tags, tags]
@group(0) @binding(3) var<storage, read> path: array<f32>; // [sequences, length]
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [sequences]

@compute @workgroup_size(64)
fn score(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let sequence = id.x + id.y * groups.x * 64u;
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
