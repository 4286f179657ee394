// Sums the middle dimension of [outer, length, inner] in chunks: [outer, chunks, inner], times a factor. Run again on
// its own result until one chunk is left, it sums everything without a barrier, which software adapters are slow at.
// From the kernel's signature: p, input, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.outer * p.chunks * p.inner) { return; }
  let inner = i % p.inner;
  let chunk = (i / p.inner) % p.chunks;
  let outer = i / (p.inner * p.chunks);
  let begin = chunk * p.chunk;
  let end = min(begin + p.chunk, p.length);
  var sum = 0.0;
  for (var k = begin; k < end; k++) {
    sum += input[(outer * p.length + k) * p.inner + inner];
  }
  output[i] = sum * p.factor;
}
