// How a tile writes C where its columns come in fours.
// From the kernels' signatures: the array that RESULT (C) stands for.

// Writes four columns of C; with vectors all of them exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  RESULT[at / 4u] = values;
}
