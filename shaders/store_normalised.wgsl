// What batch norm by given statistics makes of a tile's numbers before they are written (see batch_norm.wgsl).
// From the kernel's signature: p, mean, variance, weight, bias [outputs].

override residual: bool = false;

// Of four columns of C that begin at `at`; past the last column, that one's again.
fn normalised(at: u32, values: vec4f) -> vec4f {
  let first = at % p.outputs;
  let c = min(first + vec4u(0u, 1u, 2u, 3u), vec4u(p.outputs - 1u));
  let spread = vec4f(variance[c.x], variance[c.y], variance[c.z], variance[c.w]) + p.epsilon;
  let scale = inverseSqrt(spread) * vec4f(weight[c.x], weight[c.y], weight[c.z], weight[c.w]);
  let centred = values - vec4f(mean[c.x], mean[c.y], mean[c.z], mean[c.w]);
  return centred * scale + vec4f(bias[c.x], bias[c.y], bias[c.z], bias[c.w]);
}

// Not max and min, which may make a number of NaN.
fn bounded(values: vec4f) -> vec4f {
  var result = values;
  if (p.activation > 0u) { result = select(result, vec4f(), result < vec4f()); }
  if (p.activation == 2u) { result = select(result, vec4f(6.0), result > vec4f(6.0)); }
  return result;
}
