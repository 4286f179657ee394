// From the sums of the chunks: the gradients of batch norm's weight and bias, and per channel the four numbers of
// batch_norm_gradient.wgsl, [4, channels]. With the batch's own statistics they depend on the input too:
// dx = weight / sqrt(variance + epsilon) * (g - (dbias + xhat dweight) / rows); with fixed ones only g remains.

struct Parameters { rows: f32, channels: u32, chunks: u32, epsilon: f32, training: f32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> products: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read> weight: array<f32>;
@group(0) @binding(6) var<storage, read_write> weightGradient: array<f32>;
@group(0) @binding(7) var<storage, read_write> biasGradient: array<f32>;
@group(0) @binding(8) var<storage, read_write> coefficients: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let c = id.x + id.y * groups.x * 64u;
  if (c >= p.channels) { return; }
  var sum = 0.0;
  var product = 0.0;
  for (var at = c; at < p.chunks * p.channels; at += p.channels) {
    sum += sums[at];
    product += products[at];
  }
  let scale = inverseSqrt(variance[c] + p.epsilon);
  let factor = scale * weight[c];
  biasGradient[c] = sum;
  weightGradient[c] = product * scale;
  coefficients[c] = factor;
  coefficients[p.channels + c] = mean[c];
  coefficients[2u * p.channels + c] = -p.training * factor * scale * scale * product / p.rows;
  coefficients[3u * p.channels + c] = -p.training * factor * sum / p.rows;
}
