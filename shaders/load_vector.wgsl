// How a tile reads B where its columns lie side by side and come in fours.
// From the kernels' signatures: the array that RIGHT (B) stands for.

// Four columns of the row of B that begins at `row`; `columns` are offsets into it.
fn loadQuad(row: u32, columns: vec4u) -> vec4f {
  return RIGHT[(row + columns.x) / 4u];
}
