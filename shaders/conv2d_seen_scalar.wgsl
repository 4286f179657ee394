// What four rows from `row` on see from an output pixel where channels do not come in fours: each has its own tap.
fn seen(row: u32, pixel: vec3u) -> vec4f {
  return vec4f(seenBy(row, pixel), seenBy(row + 1u, pixel), seenBy(row + 2u, pixel), seenBy(row + 3u, pixel));
}

fn seenBy(row: u32, pixel: vec3u) -> f32 {
  let tap = taps[row];
  let at = vec2u(vec2i(pixel.xy * p.stride) + tap.xy);
  let inside = all(at < vec2u(p.width, p.height)) && pixel.z < p.images;
  let index = ((pixel.z * p.height + at.y) * p.width + at.x) * p.inputs + u32(tap.z);
  return select(0.0, x[select(0u, index, inside)], inside);
}
