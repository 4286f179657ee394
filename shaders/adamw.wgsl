// AdamW over all parameters at once, in place (Loshchilov and Hutter 2019): weight decay apart from the gradient.
// From the kernels' signatures: p, gradient, gradientScale (one number: gradient clipping), parameter, mean, square.
// Filled in: when a step is skipped, and 1 - beta^step of both betas.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  SKIP
  for (var i = threadIndex(id, groups); i < p.size; i += threadCount(groups)) {
    let g = gradient[i] * gradientScale[0];
    let m = p.beta1 * mean[i] + (1.0 - p.beta1) * g;
    let v = p.beta2 * square[i] + (1.0 - p.beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    let kept = parameter[i] * (1.0 - p.rate * p.weightDecay);
    parameter[i] = kept - p.rate * (m / CORRECTION1) / (sqrt(v / CORRECTION2) + p.epsilon);
  }
}
