// What pixels see at four neighbouring k where channels do not come in fours: each may be of another tap.

// The taps' places in the source, from the first one's, and in the filter, their channels, and whether they exist.
struct Taps { x: vec4i, y: vec4i, tap: vec4u, channel: vec4u, exists: vec4<bool> }

fn tapsAt(k: u32, kEnd: u32) -> Taps {
  let four = k + vec4u(0u, 1u, 2u, 3u);
  let exists = four < vec4u(kEnd);
  let inside = select(vec4u(kEnd - 1u), four, exists);
  let tap = inside / direction.depth;
  let row = tap / place.tapsAcross;
  let column = tap - row * place.tapsAcross;
  let inFilter = (place.firstTap.y + row * direction.classes) * p.kernelWidth +
    place.firstTap.x + column * direction.classes;
  return Taps(
    vec4i(column) * direction.step, vec4i(row) * direction.step, inFilter, inside - tap * direction.depth, exists,
  );
}

fn seen(pixel: vec4i, taps: Taps) -> vec4f {
  let column = vec4u(pixel.x + taps.x);
  let row = vec4u(pixel.y + taps.y);
  let inside = taps.exists & (column < vec4u(direction.sourceSize.x)) & (row < vec4u(direction.sourceSize.y));
  let index = (u32(pixel.z) + row * direction.sourceSize.x + column) * direction.depth + taps.channel;
  let at = select(vec4u(), index, inside);
  return select(vec4f(), vec4f(SOURCE[at.x], SOURCE[at.y], SOURCE[at.z], SOURCE[at.w]), inside);
}
