// From the sums of the chunks: the gradients of batch norm's weight and bias, and per channel the four numbers of
// batch_norm_gradient.wgsl, [4, channels]. With the batch's own statistics they depend on the input too:
// dx = weight / sqrt(variance + epsilon) * (g - (dbias + xhat dweight) / rows); with fixed ones only g remains.
// From the kernel's signature: p, sums, products, mean, variance, weight, weightGradient, biasGradient, coefficients;
// strips are those of [1, chunks, channels].

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(1u, p.channels, group, groups, thread);
  let c = at.inner;
  var part = vec2f();
  for (var chunk = at.lane; chunk < p.chunks; chunk += ALONG) {
    let k = chunk * p.channels + c;
    part += vec2f(sums[k], products[k]);
  }
  let whole = sumOf(thread, part);
  if (at.lane != 0u) { return; }
  let sum = whole.x;
  let product = whole.y;
  let scale = inverseSqrt(variance[c] + p.epsilon);
  let factor = scale * weight[c];
  biasGradient[c] = sum;
  weightGradient[c] = product * scale;
  coefficients[c] = factor;
  coefficients[p.channels + c] = mean[c];
  coefficients[2u * p.channels + c] = -p.training * factor * scale * scale * product / p.rows;
  coefficients[3u * p.channels + c] = -p.training * factor * sum / p.rows;
}
