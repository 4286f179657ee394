// The mean of each window (pool2d.wgsl); padding counts as zeros.
// From the kernel's signature: p, x, y.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = threadIndex(id, groups);
  if (index >= p.images * p.outHeight * p.outWidth * p.channels) { return; }
  let at = placeOf(index, p.outHeight, p.outWidth);
  var sum = 0.0;
  for (var i = 0u; i < p.size * p.size; i++) {
    let element = inputOf(at, i);
    if (element >= 0) { sum += x[element]; }
  }
  y[index] = sum / f32(p.size * p.size);
}
