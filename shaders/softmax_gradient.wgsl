// Gradients of softmax and log-softmax from their outputs y, one thread per row of [rows, columns].

struct Parameters { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// dx = y (g - sum(g y))
@compute @workgroup_size(64)
fn softmax(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var dot = 0.0;
  for (var c = 0u; c < p.columns; c++) { dot += gradient[row + c] * y[row + c]; }
  for (var c = 0u; c < p.columns; c++) { output[row + c] = y[row + c] * (gradient[row + c] - dot); }
}

// dx = g - exp(y) sum(g)
@compute @workgroup_size(64)
fn logSoftmax(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var sum = 0.0;
  for (var c = 0u; c < p.columns; c++) { sum += gradient[row + c]; }
  for (var c = 0u; c < p.columns; c++) { output[row + c] = gradient[row + c] - exp(y[row + c]) * sum; }
}
