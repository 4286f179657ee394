// The gradient of layer norm's input, one thread per row of [rows, columns]. With h = g weight and the normalised input
// n: dx = scale (h - mean(h) - n mean(h n)).
// From the kernel's signature: p, x, gradient, weight, mean, scale, dx.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  let centre = mean[i];
  let factor = scale[i];
  var sum = 0.0;
  var product = 0.0;
  for (var c = 0u; c < p.columns; c++) {
    let h = gradient[row + c] * weight[c];
    sum += h;
    product += h * (x[row + c] - centre);
  }
  sum /= f32(p.columns);
  product *= factor / f32(p.columns);
  for (var c = 0u; c < p.columns; c++) {
    let normalised = (x[row + c] - centre) * factor;
    dx[row + c] = factor * (gradient[row + c] * weight[c] - sum - normalised * product);
  }
}
