// Signs and rearrangement of the columns of a row-major matrix.

struct Parameters { rows: u32, columns: u32, kept: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> input: array<f32>; // [rows, columns]

@group(0) @binding(2) var<storage, read_write> values: array<f32>; // [columns]

/// One thread a column, so that neighbours read neighbours.
@compute @workgroup_size(64)
fn signs(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.columns) { return; }
  var largest = 0.0;
  for (var k = 0u; k < p.rows; k++) {
    let x = input[k * p.columns + id.x];
    if (abs(x) > abs(largest)) { largest = x; }
  }
  values[id.x] = select(1.0, -1.0, largest < 0.0);
}

@group(0) @binding(2) var<storage, read> order: array<f32>; // [kept], whole numbers
@group(0) @binding(3) var<storage, read> factors: array<f32>; // [kept]
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [rows, kept]

@compute @workgroup_size(64)
fn arrange(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.rows * p.kept) { return; }
  let c = i % p.kept;
  output[i] = input[i / p.kept * p.columns + u32(order[c])] * factors[c];
}
