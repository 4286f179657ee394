// A filter's numbers at four neighbouring channels of the output, of one tap.
fn weights(column: u32, taps: Taps) -> vec4f {
  return filters[((taps.tap * p.inputs + column) * p.outputs + taps.channel) / 4u];
}
