// The index of the first largest entry of each row; one thread per row.

struct Parameters { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.rows) { return; }
  let row = i * p.columns;
  var best = 0u;
  for (var c = 1u; c < p.columns; c++) {
    if (input[row + c] > input[row + best]) { best = c; }
  }
  output[i] = f32(best);
}
