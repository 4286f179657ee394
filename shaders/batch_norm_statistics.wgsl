// Sums over the rows of [rows, channels], chunk by chunk, and in the same pass the sums of squared distances from the
// chunk's mean: both [chunks, channels]. Numbers are counted from the chunk's first one, as the difference of two large
// sums would lose the digits that matter.
// From the kernel's signature: p, x, sums, squares.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  let width = p.channels / LANES;
  if (i >= p.chunks * width) { return; }
  let begin = i / width * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  var at = begin * width + i % width;
  let first = x[at];
  var sum = Element();
  var square = Element();
  for (var row = begin; row < end; row++) {
    let difference = x[at] - first;
    sum += difference;
    square += difference * difference;
    at += width;
  }
  let count = f32(end - begin);
  sums[i] = sum + first * count;
  let spread = square - sum * sum / count;
  squares[i] = select(spread, Element(), spread < Element());
}
