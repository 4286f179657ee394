// What a convolution and the gradient with respect to its input have in common: products A B whose left matrix, one row
// for each pixel of the result and one column for each tap and channel that it sees, is never written down.
//
// With a stride, an input pixel is seen by every stride-th tap only, and which ones depends on the pixel's position
// modulo the stride. So the gradient's pixels are taken class by class, stride * stride of them, and the pixels of a
// class share their taps.

// From [images, sourceSize.y, sourceSize.x, depth] to [images, size.y, size.x, columns].
struct Direction {
  sourceSize: vec2u, depth: u32,
  size: vec2u, columns: u32,
  // The pixel in row y of its class sees, with the class's first tap, the row y * scale + (corner + shift) / classes,
  // where `corner` is the class's first row, and with further taps the rows a step away from each other.
  scale: i32, shift: i32, classes: u32, step: i32,
  filterRow: u32, filterColumn: u32,
}

fn forwardDirection() -> Direction {
  return Direction(
    vec2u(p.width, p.height), p.inputs, vec2u(p.outWidth, p.outHeight), p.outputs,
    i32(p.stride), -i32(p.padding), 1u, 1, p.outputs, 1u,
  );
}

fn inputDirection() -> Direction {
  return Direction(
    vec2u(p.outWidth, p.outHeight), p.outputs, vec2u(p.width, p.height), p.inputs,
    1, i32(p.padding), p.stride, -1, 1u, p.outputs,
  );
}
