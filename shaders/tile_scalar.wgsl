// How tiles read B and write C where the columns of either do not lie side by side in fours.

alias Element = f32;

// Four columns of the row of B that begins at `row`; `columns` are offsets into it.
fn loadQuad(row: u32, columns: vec4u) -> vec4f {
  let at = row + columns;
  return vec4f(b[at.x], b[at.y], b[at.z], b[at.w]);
}

// Writes four columns of C, of which the first `count` exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  c[at] = values.x;
  if (count > 1u) { c[at + 1u] = values.y; }
  if (count > 2u) { c[at + 2u] = values.z; }
  if (count > 3u) { c[at + 3u] = values.w; }
}
