// Stochastic gradient descent with momentum over all parameters at once, in place (Sutskever et al. 2013, in PyTorch's
// form): velocity = momentum velocity + g; the step is along the velocity, or along g + momentum velocity (Nesterov).

struct Parameters { size: u32, rate: f32, momentum: f32, weightDecay: f32, nesterov: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> gradientScale: array<f32>; // one number: gradient clipping
@group(0) @binding(3) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(4) var<storage, read_write> velocity: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x + id.y * groups.x * 64u; i < p.size; i += groups.x * groups.y * 64u) {
    let g = gradient[i] * gradientScale[0] + p.weightDecay * parameter[i];
    let v = p.momentum * velocity[i] + g;
    velocity[i] = v;
    parameter[i] -= p.rate * select(v, g + p.momentum * v, p.nesterov == 1u);
  }
}
