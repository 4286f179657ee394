// Sums that batch norm's gradients are made of, over the rows of [rows, channels], chunk by chunk: of g (the gradient
// of the bias) and of g times the distance from the mean.
// From the kernel's signature: p, x, gradient, mean, sums, products; strips are those of [chunks, chunk, channels].

struct Two {
  first: Element,
  second: Element,
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let width = p.channels / LANES;
  let at = placeIn(p.chunks, width, group, groups, thread);
  let begin = at.outer * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  let centre = mean[at.inner];
  var part = Two();
  for (var row = begin + at.lane; row < end; row += ALONG) {
    let k = row * width + at.inner;
    let g = gradient[k];
    part.first += g;
    part.second += g * (x[k] - centre);
  }
  let whole = sumOf(thread, part);
  if (at.lane != 0u) { return; }
  let i = at.outer * width + at.inner;
  sums[i] = whole.first;
  products[i] = whole.second;
}
