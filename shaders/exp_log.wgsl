// exp and log that give NaN for NaN, of which some implementations make numbers (infinity, and 89), as of the logarithm
// of -infinity. Stands behind is_nan.

fn expOf(x: f32) -> f32 { return select(exp(x), x, isNan(x)); }

fn logOf(x: f32) -> f32 { return select(log(x), nanFrom(x), x < 0.0 || isNan(x)); }
