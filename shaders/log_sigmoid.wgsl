// log(1 / (1 + exp(-x))), which neither under- nor overflows.

fn logSigmoid(x: f32) -> f32 { return select(0.0, x, x < 0.0) - log(1.0 + exp(-abs(x))); }
