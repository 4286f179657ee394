// 1 - beta^step from the logarithm of beta^step: near 1 by a series, as a difference would have few digits left.
fn biasCorrection(t: f32) -> f32 {
  let series = t * (1.0 + t * (0.5 + t * (1.0 / 6.0 + t * (1.0 / 24.0 + t / 120.0))));
  return select(1.0 - exp(t), -series, t > -0.1);
}
