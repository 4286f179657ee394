// Gradient of a weighted sum of squared differences by one operand: g factor (a - b), g the gradient of the sum.
// From the kernel's signature: p, a, b, gradient, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let factor = gradient[0] * p.factor;
  for (var i = threadIndex(id, groups); i < p.size; i += threadCount(groups)) { output[i] = factor * (a[i] - b[i]); }
}
