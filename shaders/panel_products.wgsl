// Products with the columns of a narrow row-major matrix L: `project` takes inner products with them, `subtract` takes their
// combinations away. With the panels of a QR factorisation the two apply 16 reflections. One thread a column of the other
// matrix, so that neighbours read neighbours.

struct Parameters {
  rows: u32,
  columns: u32,
  /// The first row and the first column that take part.
  fromRow: u32,
  fromColumn: u32,
  /// Where L starts and how far its rows lie apart, in fours.
  start: u32,
  stride: u32,
  /// How many columns L has.
  width: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> left: array<vec4f>; // L: [rows, width]

@group(0) @binding(2) var<storage, read> input: array<f32>; // A: [rows, columns]
@group(0) @binding(3) var<storage, read_write> weights: array<f32>; // [width, columns] = L^T A

/// A thread makes 8 rows of its column.
@compute @workgroup_size(64)
fn project(@builtin(global_invocation_id) id: vec3u) {
  let j = p.fromColumn + id.x;
  if (j >= p.columns) { return; }
  var sum0 = vec4f();
  var sum1 = vec4f();
  // Sums of 32 rows are summed in turn: that rounds less than one long sum.
  for (var first = p.fromRow; first < p.rows; first += 32u) {
    var part0 = vec4f();
    var part1 = vec4f();
    for (var k = first; k < min(first + 32u, p.rows); k++) {
      let x = input[k * p.columns + j];
      let at = p.start + k * p.stride + id.y * 2u;
      part0 += x * left[at];
      part1 += x * left[at + 1u];
    }
    sum0 += part0;
    sum1 += part1;
  }
  for (var i = 0u; i < 8u; i++) {
    let row = id.y * 8u + i;
    if (row < p.width) { weights[row * p.columns + j] = select(sum1[i % 4u], sum0[i % 4u], i < 4u); }
  }
}

@group(0) @binding(2) var<storage, read> combination: array<f32>; // [16, columns]
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // A: [rows, columns] -= L combination, L 16 wide

const ROWS = 16u;

@compute @workgroup_size(64)
fn subtract(@builtin(global_invocation_id) id: vec3u) {
  let j = p.fromColumn + id.x;
  if (j >= p.columns) { return; }
  var w = array<vec4f, 4>();
  for (var q = 0u; q < 4u; q++) {
    for (var i = 0u; i < 4u; i++) { w[q][i] = combination[(q * 4u + i) * p.columns + j]; }
  }
  let first = p.fromRow + id.y * ROWS;
  for (var k = first; k < min(first + ROWS, p.rows); k++) {
    let at = p.start + k * p.stride;
    let sum = dot(left[at], w[0]) + dot(left[at + 1u], w[1]) + dot(left[at + 2u], w[2]) + dot(left[at + 3u], w[3]);
    output[k * p.columns + j] -= sum;
  }
}
