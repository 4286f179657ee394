// Links the places of equal numbers to lists, for embedding_gradient.wgsl: where each stands for the first time, and
// where it stands next (count: nowhere).
// From the kernel's signature: p, indices, first, next, each [count].

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.count) { return; }
  let index = indices[i];
  var before = i;
  while (before > 0u && indices[before - 1u] != index) { before--; }
  first[i] = select(0.0, 1.0, before == 0u);
  var after = i + 1u;
  while (after < p.count && indices[after] != index) { after++; }
  next[i] = f32(after);
}
