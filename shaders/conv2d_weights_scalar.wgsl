// A filter's numbers at four neighbouring k, which may be of different taps.
fn weights(column: u32, taps: Taps) -> vec4f {
  let at = (taps.tap * p.inputs + column) * p.outputs + taps.channel;
  return select(vec4f(), vec4f(filters[at.x], filters[at.y], filters[at.z], filters[at.w]), taps.exists);
}
