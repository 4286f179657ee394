// AdamW over all parameters at once, in place (Loshchilov and Hutter 2019): weight decay apart from the gradient.
// correction1 and correction2 are 1 - beta^step.

struct Parameters {
  size: u32, rate: f32, beta1: f32, beta2: f32, epsilon: f32, weightDecay: f32, correction1: f32, correction2: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> gradientScale: array<f32>; // one number: gradient clipping
@group(0) @binding(3) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> square: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x + id.y * groups.x * 64u; i < p.size; i += groups.x * groups.y * 64u) {
    let g = gradient[i] * gradientScale[0];
    let m = p.beta1 * mean[i] + (1.0 - p.beta1) * g;
    let v = p.beta2 * square[i] + (1.0 - p.beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    let kept = parameter[i] * (1.0 - p.rate * p.weightDecay);
    parameter[i] = kept - p.rate * (m / p.correction1) / (sqrt(v / p.correction2) + p.epsilon);
  }
}
