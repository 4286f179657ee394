// The largest value of each window (pool2d.wgsl), NaN where it has one, and its place in the window.
// From the kernel's signature: p, x, y, taps.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = threadIndex(id, groups);
  if (index >= p.images * p.outHeight * p.outWidth * p.channels) { return; }
  let at = placeOf(index, p.outHeight, p.outWidth);
  var best = 0.0;
  var tap = p.size * p.size;
  for (var i = 0u; i < p.size * p.size; i++) {
    let element = inputOf(at, i);
    if (element < 0) { continue; }
    let value = x[element];
    if (tap == p.size * p.size || value > best || isNan(value)) {
      best = value;
      tap = i;
    }
  }
  y[index] = best;
  taps[index] = f32(tap);
}
