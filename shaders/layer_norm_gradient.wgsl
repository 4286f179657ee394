// The gradient of layer norm's input, one thread per row of [rows, columns]. With h = g weight and the normalised input
// n: dx = scale (h - mean(h) - n mean(h n)).

struct Parameters { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> mean: array<f32>;
@group(0) @binding(5) var<storage, read> scale: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
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
