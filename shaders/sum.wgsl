// Sums the middle dimension of [outer, length, inner] in chunks: [outer, chunks, inner], times a factor. Run again on
// its own result until one chunk is left, it sums everything.
// From the kernel's signature: p, input, output; strips are those of [outer chunks, chunk, inner].

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.outer * p.chunks, p.inner, group, groups, thread);
  let first = at.outer / p.chunks * p.length;
  let begin = at.outer % p.chunks * p.chunk;
  let end = min(begin + p.chunk, p.length);
  var part = 0.0;
  for (var k = begin + at.lane; k < end; k += ALONG) { part += input[(first + k) * p.inner + at.inner]; }
  let sum = sumOf(thread, part);
  if (at.lane == 0u) { output[at.outer * p.inner + at.inner] = sum * p.factor; }
}
