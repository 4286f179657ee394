// The filters as the gradient with respect to the input multiplies by them: one row for each tap of a class and channel
// of the output, which lie side by side.

fn rightDeep() -> bool { return true; }

fn rightPatch(column: u32, k: u32, kEnd: u32) -> mat4x4f {
  if (k >= kEnd) { return mat4x4f(); }
  let taps = tapsAt(k, kEnd);
  let columns = min(place.column + column + vec4u(0u, 1u, 2u, 3u), vec4u(p.inputs - 1u));
  return transpose(mat4x4f(
    weights(columns.x, taps), weights(columns.y, taps), weights(columns.z, taps), weights(columns.w, taps),
  ));
}
