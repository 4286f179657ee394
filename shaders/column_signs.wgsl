// The sign of each column of a row-major matrix: that of its largest entry. One thread a column, so that neighbours
// read neighbours.
// From the kernel's signature: p, input [rows, columns], values [columns].

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.columns) { return; }
  var largest = 0.0;
  for (var k = 0u; k < p.rows; k++) {
    let x = input[k * p.columns + id.x];
    if (abs(x) > abs(largest)) { largest = x; }
  }
  values[id.x] = select(1.0, -1.0, largest < 0.0);
}
