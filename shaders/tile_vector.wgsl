// How a tile reads B and writes C where the columns of both lie side by side and come in fours.

alias Element = vec4f;

// Eight columns of a row of B, which begins at `row`; `columns` are offsets into it.
fn loadColumns(row: u32, columns: Eight) -> mat2x4f {
  return mat2x4f(b[(row + columns.low.x) / 4u], b[(row + columns.high.x) / 4u]);
}

// Writes four columns of C; all of them exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  c[at / 4u] = values;
}

// Four columns of a bias, from `x` on.
fn loadBias(x: u32) -> vec4f {
  return bias[x / 4u];
}
