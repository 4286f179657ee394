// How tiles read B and write C where the columns of either do not lie side by side in fours.
// From the kernels' signatures: the arrays of Element that RIGHT (B) and RESULT (C) stand for.

// Four columns of the row of B that begins at `row`; `columns` are offsets into it.
fn loadQuad(row: u32, columns: vec4u) -> vec4f {
  let at = row + columns;
  return vec4f(RIGHT[at.x], RIGHT[at.y], RIGHT[at.z], RIGHT[at.w]);
}

// Writes four columns of C, of which the first `count` exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  RESULT[at] = values.x;
  if (count > 1u) { RESULT[at + 1u] = values.y; }
  if (count > 2u) { RESULT[at + 2u] = values.z; }
  if (count > 3u) { RESULT[at + 3u] = values.w; }
}
