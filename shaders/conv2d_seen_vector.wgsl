// What four rows from `row` on see from an output pixel where channels come in fours: those of one tap.
fn seen(row: u32, pixel: vec3u) -> vec4f {
  let tap = taps[row];
  let at = vec2u(vec2i(pixel.xy * p.stride) + tap.xy);
  let inside = all(at < vec2u(p.width, p.height)) && pixel.z < p.images;
  let index = ((pixel.z * p.height + at.y) * p.width + at.x) * p.inputs + u32(tap.z);
  return select(vec4f(), x[select(0u, index / 4u, inside)], inside);
}
