// One round of block Jacobi, continued: multiplies each pair of blocks of 16 columns by its 32 x 32 rotation W, and
// moves the blocks to their places in the next round of the tournament.
// From the kernel's signature: p, input [rows, columns], rotation (W - I: [pair, 32, 32]), cosines, output [rows,
// columns].

/// Where a block goes for the next round: all but the first move on round a circle, the even places one way and the odd
/// ones the other. After as many rounds as there are other blocks each pair has met, and all are back.
fn placeOf(block: u32, blocks: u32) -> u32 {
  if (block == 0u || blocks == 2u) { return block; }
  if (block == 1u) { return 2u; }
  if (block % 2u == 1u) { return block - 2u; }
  return select(block + 2u, block + 1u, block == blocks - 2u);
}

/// A thread makes 4 rows by 4 columns.
@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let quads = p.columns / 4u;
  let first = group.x * 32u + local.y * 4u;
  let source = group.y * 8u;
  let place = placeOf(group.y * 2u + local.x / 4u, p.columns / 16u) * 4u + local.x % 4u;
  var rows = array<u32, 4>();
  for (var r = 0u; r < 4u; r++) { rows[r] = min(first + r, p.rows - 1u) * quads; }
  var sum = array<vec4f, 4>();
  if (cosines[p.slot + group.y] > p.tolerance) {
    for (var k = 0u; k < 8u; k++) {
      let w = group.y * 256u + k * 32u + local.x;
      let w0 = rotation[w];
      let w1 = rotation[w + 8u];
      let w2 = rotation[w + 16u];
      let w3 = rotation[w + 24u];
      for (var r = 0u; r < 4u; r++) {
        let x = input[rows[r] + source + k];
        sum[r] += x.x * w0 + x.y * w1 + x.z * w2 + x.w * w3;
      }
    }
  }
  for (var r = 0u; r < 4u; r++) {
    if (first + r < p.rows) { output[rows[r] + place] = input[rows[r] + source + local.x] + sum[r]; }
  }
}
