// Zeroes each element with a given probability and scales the others up. The mask is a hash of seed and index, so the
// backward pass and the other backend find the same one without storing it.
// From the kernel's signature: p, input, output.

// Two rounds of xor-shift and multiply, full avalanche.
fn hash(value: u32) -> u32 {
  var h = value;
  h = (h ^ (h >> 16u)) * 0x7feb352du;
  h = (h ^ (h >> 15u)) * 0x846ca68bu;
  return h ^ (h >> 16u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.size) { return; }
  let uniformNumber = f32(hash(i ^ hash(p.seed)) >> 8u) / 16777216.0;
  output[i] = select(0.0, input[i] / (1.0 - p.rate), uniformNumber >= p.rate);
}
