// NaN by its bits: WGSL lets a compiler assume that there is none, and what compares floats false.

fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

/// NaN, of the bits of any number: a constant one would be refused.
fn nanFrom(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); }
