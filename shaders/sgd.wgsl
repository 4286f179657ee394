// Stochastic gradient descent with momentum over all parameters at once, in place (Sutskever et al. 2013, in PyTorch's
// form): velocity = momentum velocity + g; the step is along the velocity, or along g + momentum velocity (Nesterov).
// From the kernels' signatures: p, gradient, gradientScale (one number: gradient clipping), parameter, velocity. Filled
// in: when a step is skipped.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  SKIP
  for (var i = threadIndex(id, groups); i < p.size; i += threadCount(groups)) {
    let g = gradient[i] * gradientScale[0] + p.weightDecay * parameter[i];
    let v = p.momentum * velocity[i] + g;
    velocity[i] = v;
    parameter[i] -= p.rate * select(v, g + p.momentum * v, p.nesterov == 1u);
  }
}
