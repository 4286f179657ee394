// Sums that the gradients of layer norm's weight and bias are made of, over the rows of [rows, columns], chunk by
// chunk: of g (the bias) and of g times the normalised input (the weight).
// From the kernel's signature: p, x, gradient, mean, scale, biasSums, weightSums; strips are those of
// [chunks, chunk, columns].

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.chunks, p.columns, group, groups, thread);
  let begin = at.outer * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  var part = vec2f();
  for (var row = begin + at.lane; row < end; row += ALONG) {
    let k = row * p.columns + at.inner;
    let g = gradient[k];
    part += vec2f(g, g * (x[k] - mean[row]) * scale[row]);
  }
  let sums = sumOf(thread, part);
  if (at.lane != 0u) { return; }
  let i = at.outer * p.columns + at.inner;
  biasSums[i] = sums.x;
  weightSums[i] = sums.y;
}
