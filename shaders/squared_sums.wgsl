// Sums of squares, times a factor: each of `count` threads adds up every count-th number and writes what it has. What
// is left is a short sum of all threads' parts, which several calls can share.
// From the kernel's signature: p, the tensors, output; TERM: the number that is squared.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let thread = threadIndex(id, groups);
  if (thread >= p.count) { return; }
  var sum = 0.0;
  for (var i = thread; i < p.size; i += p.count) {
    let x = TERM;
    sum += x * x;
  }
  output[thread] = sum * p.factor;
}
