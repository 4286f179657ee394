// What pixels see at four neighbouring k where channels come in fours: those of one tap.

// The tap's place in the source, from the first one's, and in the filter, and the first of the four channels.
struct Taps { at: vec2i, tap: u32, channel: u32 }

fn tapsAt(k: u32, kEnd: u32) -> Taps {
  let tap = k / direction.depth;
  let row = tap / place.tapsAcross;
  let at = vec2u(tap - row * place.tapsAcross, row);
  let inFilter = place.firstTap + at * direction.classes;
  return Taps(vec2i(at) * direction.step, inFilter.y * p.kernelWidth + inFilter.x, k - tap * direction.depth);
}

fn seen(pixel: vec4i, taps: Taps) -> vec4f {
  let at = vec2u(pixel.xy + taps.at);
  let inside = all(at < direction.sourceSize);
  let index = (u32(pixel.z) + at.y * direction.sourceSize.x + at.x) * direction.depth + taps.channel;
  return select(vec4f(), SOURCE[select(0u, index / 4u, inside)], inside);
}
