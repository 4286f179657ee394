// How a tile reads B and writes C where neighbouring columns do not come in fours.

alias Element = f32;

// Eight columns of a row of B, which begins at `row`; `columns` are offsets into it.
fn loadColumns(row: u32, columns: Eight) -> mat2x4f {
  let low = row + columns.low;
  let high = row + columns.high;
  return mat2x4f(b[low.x], b[low.y], b[low.z], b[low.w], b[high.x], b[high.y], b[high.z], b[high.w]);
}

// Writes four columns of C, of which the first `count` exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  c[at] = values.x;
  if (count > 1u) { c[at + 1u] = values.y; }
  if (count > 2u) { c[at + 2u] = values.z; }
  if (count > 3u) { c[at + 3u] = values.w; }
}

// Four columns of a bias, from `x` on.
fn loadBias(x: u32) -> vec4f {
  return vec4f(bias[x], bias[x + 1u], bias[x + 2u], bias[x + 3u]);
}
