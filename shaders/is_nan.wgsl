// NaN by its bits: WGSL lets a compiler assume that there is none, and what compares floats false.

fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
