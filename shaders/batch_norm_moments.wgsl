// Mean and variance of each channel from the sums of the chunks (Chan, Golub and LeVeque 1979), and the running ones
// moved towards them, the variance by its unbiased estimate.
// From the kernel's signature: p, sums, squares, mean, variance, runningMean, runningVariance.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let c = threadIndex(id, groups);
  if (c >= p.channels) { return; }
  let end = p.chunks * p.channels;
  var sum = 0.0;
  for (var at = c; at < end; at += p.channels) { sum += sums[at]; }
  let centre = sum / f32(p.rows);
  var total = 0.0;
  var left = p.rows;
  for (var at = c; at < end; at += p.channels) {
    let count = f32(min(left, p.chunk));
    left -= min(left, p.chunk);
    let distance = sums[at] / count - centre;
    total += squares[at] + count * distance * distance;
  }
  mean[c] = centre;
  variance[c] = total / f32(p.rows);
  runningMean[c] += p.momentum * (centre - runningMean[c]);
  runningVariance[c] += p.momentum * (total / f32(max(p.rows, 2u) - 1u) - runningVariance[c]);
}
