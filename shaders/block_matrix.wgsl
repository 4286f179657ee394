// A factor of a product by blocks (block.wgsl) that lies in memory as a matrix, the array FACTOR.

// Four rows of A (columns of B) from `first` on, at four k: number (r, k) stands at begin + r * across + k * along, and
// one of the two strides is 1. Of `extent` rows those that do not exist hold anything.
fn PATCH(begin: u32, across: u32, along: u32, extent: u32, first: u32, k: u32, kEnd: u32) -> mat4x4f {
  if (k >= kEnd || first >= extent) { return mat4x4f(); }
  if (along == 1u) {
    let at = begin + min(first + vec4u(0u, 1u, 2u, 3u), vec4u(extent - 1u)) * across + k;
    let count = kEnd - k;
    return transpose(mat4x4f(FOUR(at.x, count), FOUR(at.y, count), FOUR(at.z, count), FOUR(at.w, count)));
  }
  let at = begin + first + min(k + vec4u(0u, 1u, 2u, 3u), vec4u(kEnd - 1u)) * along;
  let count = extent - first;
  return mat4x4f(
    FOUR(at.x, count),
    select(vec4f(), FOUR(at.y, count), k + 1u < kEnd),
    select(vec4f(), FOUR(at.z, count), k + 2u < kEnd),
    select(vec4f(), FOUR(at.w, count), k + 3u < kEnd),
  );
}
