// A factor of a product by blocks (block.wgsl) that lies in memory as a matrix, the array FACTOR.

// Four rows of A (columns of B) from `first` on, at four k: number (r, k) stands at begin + r * across + k * along, and
// one of the two strides is 1. Of `extent` rows those that do not exist hold anything.
fn PATCH(begin: u32, across: u32, along: u32, extent: u32, first: u32, k: u32, kEnd: u32) -> mat4x4f {
  if (k >= kEnd || first >= extent) { return mat4x4f(); }
  // Four lines of neighbours: rows where they lie side by side along k, and otherwise a k each, some beyond the last.
  let deep = along == 1u;
  let four = vec4u(0u, 1u, 2u, 3u);
  let line = select(min(k + four, vec4u(kEnd - 1u)), min(first + four, vec4u(extent - 1u)), deep);
  let at = begin + line * select(along, across, deep) + select(first, k, deep);
  let count = select(extent, kEnd, deep) - select(first, k, deep);
  let exists = vec4<bool>(deep) | (k + four < vec4u(kEnd));
  let lines = mat4x4f(
    select(vec4f(), FOUR(at.x, count), exists.x),
    select(vec4f(), FOUR(at.y, count), exists.y),
    select(vec4f(), FOUR(at.z, count), exists.z),
    select(vec4f(), FOUR(at.w, count), exists.w),
  );
  if (deep) { return transpose(lines); }
  return lines;
}
