// Mean and variance of each channel from the sums of the chunks (Chan, Golub and LeVeque 1979), and the running ones
// moved towards them, the variance by its unbiased estimate.
// From the kernel's signature: p, sums, squares, mean, variance, runningMean, runningVariance; strips are those of
// [1, chunks, channels].

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(1u, p.channels, group, groups, thread);
  let c = at.inner;
  var sum = 0.0;
  for (var chunk = at.lane; chunk < p.chunks; chunk += ALONG) { sum += sums[chunk * p.channels + c]; }
  let centre = sumOf(thread, sum) / f32(p.rows);
  var part = 0.0;
  for (var chunk = at.lane; chunk < p.chunks; chunk += ALONG) {
    let count = f32(min(p.chunk, p.rows - chunk * p.chunk));
    let k = chunk * p.channels + c;
    let distance = sums[k] / count - centre;
    part += squares[k] + count * distance * distance;
  }
  let total = sumOf(thread, part);
  if (at.lane != 0u) { return; }
  mean[c] = centre;
  variance[c] = total / f32(p.rows);
  runningMean[c] += p.momentum * (centre - runningMean[c]);
  runningVariance[c] += p.momentum * (total / f32(max(p.rows, 2u) - 1u) - runningVariance[c]);
}
