// How tiles read B and write C where the columns of both lie side by side and come in fours.
// From the kernels' signatures: the arrays of Element that RIGHT (B) and RESULT (C) stand for.

// Four columns of the row of B that begins at `row`; `columns` are offsets into it.
fn loadQuad(row: u32, columns: vec4u) -> vec4f {
  return RIGHT[(row + columns.x) / 4u];
}

// Writes four columns of C; with vectors all of them exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  RESULT[at / 4u] = values;
}
