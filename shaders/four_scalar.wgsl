// Four neighbours of FACTOR where they do not always come in whole vectors; those beyond the first `count` are zero.
fn FOUR(at: u32, count: u32) -> vec4f {
  let i = at + min(vec4u(0u, 1u, 2u, 3u), vec4u(count - 1u));
  let values = vec4f(FACTOR[i.x], FACTOR[i.y], FACTOR[i.z], FACTOR[i.w]);
  return select(vec4f(), values, vec4u(0u, 1u, 2u, 3u) < vec4u(count));
}
