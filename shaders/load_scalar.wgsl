// How a tile reads B where its columns do not lie side by side in fours.
// From the kernels' signatures: the array that RIGHT (B) stands for.

// Four columns of the row of B that begins at `row`; `columns` are offsets into it.
fn loadQuad(row: u32, columns: vec4u) -> vec4f {
  let at = row + columns;
  return vec4f(RIGHT[at.x], RIGHT[at.y], RIGHT[at.z], RIGHT[at.w]);
}
