// Takes one column from each row of [rows, columns], and the reverse: puts a row's number into its column, zero elsewhere.
// Indices are numbers of class or position, stored as floats.

struct Parameters { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn pick(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.rows) { return; }
  output[i] = input[i * p.columns + u32(indices[i])];
}

@compute @workgroup_size(64)
fn place(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.rows * p.columns) { return; }
  let row = i / p.columns;
  output[i] = select(0.0, input[row], i % p.columns == u32(indices[row]));
}
