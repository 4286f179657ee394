// A run of neighbours along one dimension, seen as the middle of [outer, extent, inner]: `length` of them from `begin`
// on, and the reverse, which puts them back among zeros or the numbers already there.
// From the kernel's signature: p, input, output.

@compute @workgroup_size(64)
fn take(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.size) { return; }
  let row = p.length * p.inner;
  output[i] = input[(i / row * p.extent + p.begin) * p.inner + i % row];
}

@compute @workgroup_size(64)
fn pad(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.size) { return; }
  let place = i / p.inner % p.extent;
  // Below `begin` the difference wraps around to a large number.
  let within = place - p.begin;
  if (within >= p.length) {
    output[i] = 0.0;
    return;
  }
  output[i] = input[(i / (p.inner * p.extent) * p.length + within) * p.inner + i % p.inner];
}

@compute @workgroup_size(64)
fn place(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.size) { return; }
  let row = p.length * p.inner;
  output[(i / row * p.extent + p.begin) * p.inner + i % row] = input[i];
}
