// Inner products of a row-major matrix A with the 16 columns of a panel of reflections: weights = panel^T A. One thread
// a column of A, so that neighbours read neighbours; A takes part from row fromRow and column fromColumn on.
// From the kernel's signature: p, panels [panel, rows, 16], input (A: [rows, columns]), weights [16, columns].

/// A thread makes 8 rows of its column.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
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
