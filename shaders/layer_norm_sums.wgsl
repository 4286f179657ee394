// Sums that the gradients of layer norm's weight and bias are made of, over the rows of [rows, columns], chunk by
// chunk: of g (the bias) and of g times the normalised input (the weight). One thread per chunk and column.
// From the kernel's signature: p, x, gradient, mean, scale, biasSums, weightSums.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.chunks * p.columns) { return; }
  let c = i % p.columns;
  let begin = (i / p.columns) * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  var biasSum = 0.0;
  var weightSum = 0.0;
  for (var row = begin; row < end; row++) {
    let g = gradient[row * p.columns + c];
    biasSum += g;
    weightSum += g * (x[row * p.columns + c] - mean[row]) * scale[row];
  }
  biasSums[i] = biasSum;
  weightSums[i] = weightSum;
}
