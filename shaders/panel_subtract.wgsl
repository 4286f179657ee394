// Takes combinations of a panel's 16 columns away from a row-major matrix: A -= panel combination. Threads as in
// panel_project.wgsl.
// From the kernel's signature: p, panels [panel, rows, 16], combination [16, columns], output (A: [rows, columns]).

const ROWS = 16u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
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
