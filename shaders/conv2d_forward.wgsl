// The filters as a convolution multiplies by them: a matrix of one row for each tap and channel.

fn rightDeep() -> bool { return false; }

fn rightPatch(column: u32, k: u32, kEnd: u32) -> mat4x4f {
  return filtersPatch(0u, 1u, p.outputs, p.outputs, place.column + column, k, kEnd);
}
