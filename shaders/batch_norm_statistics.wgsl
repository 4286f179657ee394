// Sums over the rows of [rows, channels], chunk by chunk, and in the same pass the sums of squared distances from the
// chunk's mean: both [chunks, channels]. Numbers are counted from the chunk's first one, as the difference of two large
// sums would lose the digits that matter.
// From the kernel's signature: p, x, sums, squares; strips are those of [chunks, chunk, channels].

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
  let first = x[begin * width + at.inner];
  var part = Two();
  for (var row = begin + at.lane; row < end; row += ALONG) {
    let difference = x[row * width + at.inner] - first;
    part.first += difference;
    part.second += difference * difference;
  }
  let whole = sumOf(thread, part);
  if (at.lane != 0u) { return; }
  let count = f32(end - begin);
  let spread = whole.second - whole.first * whole.first / count;
  let i = at.outer * width + at.inner;
  sums[i] = whole.first + first * count;
  squares[i] = select(spread, Element(), spread < Element());
}
