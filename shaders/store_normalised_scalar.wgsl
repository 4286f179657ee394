// How a tile writes C, normalised, where its columns do not come in fours.
// From the kernel's signature: added, and the array that RESULT (C) stands for.

// Writes four columns of C, of which the first `count` exist.
fn storeQuad(at: u32, count: u32, values: vec4f) {
  var result = normalised(at, values);
  if (residual) {
    let last = count - 1u;
    result += vec4f(added[at], added[at + min(1u, last)], added[at + min(2u, last)], added[at + min(3u, last)]);
  }
  result = bounded(result);
  RESULT[at] = result.x;
  if (count > 1u) { RESULT[at + 1u] = result.y; }
  if (count > 2u) { RESULT[at + 2u] = result.z; }
  if (count > 3u) { RESULT[at + 3u] = result.w; }
}
