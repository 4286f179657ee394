// From the sums of the chunks: the gradients of batch norm's weight and bias, and per channel the four numbers of
// batch_norm_gradient.wgsl, [4, channels]. With the batch's own statistics they depend on the input too:
// dx = weight / sqrt(variance + epsilon) * (g - (dbias + xhat dweight) / rows); with fixed ones only g remains.
// From the kernel's signature: p, sums, products, mean, variance, weight, weightGradient, biasGradient, coefficients.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let c = threadIndex(id, groups);
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
