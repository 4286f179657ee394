// Four neighbours of FACTOR where they come in whole vectors.
fn FOUR(at: u32, count: u32) -> vec4f {
  return FACTOR[at / 4u];
}
