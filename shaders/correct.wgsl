// 1 where the largest of a row's logits (the first, among equals) is the label's, else 0; one thread per row.

struct Parameters { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var best = 0u;
  for (var c = 1u; c < p.columns; c++) {
    if (logits[row + c] > logits[row + best]) { best = c; }
  }
  output[i] = select(0.0, 1.0, best == u32(labels[i]));
}
