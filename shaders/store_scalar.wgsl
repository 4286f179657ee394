// How a tile writes C where its columns do not come in fours.
// From the kernels' signatures: the array that RESULT (C) stands for.

// Writes four columns of C, of which the first `count` exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  RESULT[at] = values.x;
  if (count > 1u) { RESULT[at + 1u] = values.y; }
  if (count > 2u) { RESULT[at + 2u] = values.z; }
  if (count > 3u) { RESULT[at + 3u] = values.w; }
}
