// The gradient of the means, over all windows that an element lies in (pool2d.wgsl).
// From the kernel's signature: p, gradient, dx.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = threadIndex(id, groups);
  if (index >= p.images * p.height * p.width * p.channels) { return; }
  let at = placeOf(index, p.height, p.width);
  var sum = 0.0;
  for (var i = 0u; i < p.size * p.size; i++) {
    let window = windowOf(at, i);
    if (window >= 0) { sum += gradient[window]; }
  }
  dx[index] = sum / f32(p.size * p.size);
}
