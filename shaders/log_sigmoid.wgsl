// log(1 / (1 + exp(-x))), which neither under- nor overflows. Stands behind exp_log.

fn logSigmoid(x: f32) -> f32 { return select(0.0, x, x < 0.0) - logOf(1.0 + expOf(-abs(x))); }
