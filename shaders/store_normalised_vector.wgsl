// How a tile writes C, normalised, where its columns come in fours.
// From the kernel's signature: added, and the array that RESULT (C) stands for.

// Writes four columns of C; with vectors all of them exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  var result = normalised(at, values);
  if (residual) { result += added[at / 4u]; }
  RESULT[at / 4u] = bounded(result);
}
