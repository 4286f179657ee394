// Rows of a table [rows, columns] by their numbers, one thread per element of the result [count, columns].

struct Parameters { count: u32, columns: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.count * p.columns) { return; }
  output[i] = table[u32(indices[i / p.columns]) * p.columns + i % p.columns];
}
