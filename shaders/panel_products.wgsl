// The two products that apply a panel of 16 reflections to a row-major matrix A: `project` takes inner products with
// the panel's columns, `subtract` takes combinations of them away. One thread a column of A, so that neighbours read
// neighbours.

struct Parameters {
  rows: u32,
  columns: u32,
  panel: u32,
  /// The first row and the first column of A that take part.
  fromRow: u32,
  fromColumn: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> panels: array<vec4f>; // [panel, rows, 16]

@group(0) @binding(2) var<storage, read> input: array<f32>; // A: [rows, columns]
@group(0) @binding(3) var<storage, read_write> weights: array<f32>; // [16, columns] = panel^T A

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
      let at = (p.panel * p.rows + k) * 4u + id.y * 2u;
      part0 += x * panels[at];
      part1 += x * panels[at + 1u];
    }
    sum0 += part0;
    sum1 += part1;
  }
  for (var i = 0u; i < 8u; i++) {
    weights[(id.y * 8u + i) * p.columns + j] = select(sum1[i % 4u], sum0[i % 4u], i < 4u);
  }
}

@group(0) @binding(2) var<storage, read> combination: array<f32>; // [16, columns]
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // A -= panel combination

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
    let at = (p.panel * p.rows + k) * 4u;
    output[k * p.columns + j] -= dot(panels[at], w[0]) + dot(panels[at + 1u], w[1]) +
      dot(panels[at + 2u], w[2]) + dot(panels[at + 3u], w[3]);
  }
}
