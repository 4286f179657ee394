// Sums that batch norm's gradients are made of, over the rows of [rows, channels], chunk by chunk: of g (the gradient
// of the bias) and of g times the distance from the mean.
// From the kernel's signature: p, x, gradient, mean, sums, products.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  let width = p.channels / LANES;
  if (i >= p.chunks * width) { return; }
  let c = i % width;
  let begin = i / width * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  let centre = mean[c];
  var at = begin * width + c;
  var sum = Element();
  var product = Element();
  for (var row = begin; row < end; row++) {
    let g = gradient[at];
    sum += g;
    product += g * (x[at] - centre);
    at += width;
  }
  sums[i] = sum;
  products[i] = product;
}
