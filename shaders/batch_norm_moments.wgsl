// Mean and variance of each channel from the sums of the chunks (Chan, Golub and LeVeque 1979), and the running ones moved
// towards them, the variance by its unbiased estimate.

struct Parameters { rows: u32, channels: u32, chunk: u32, chunks: u32, momentum: f32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> squares: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> variance: array<f32>;
@group(0) @binding(5) var<storage, read_write> runningMean: array<f32>;
@group(0) @binding(6) var<storage, read_write> runningVariance: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let c = id.x + id.y * groups.x * 64u;
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
