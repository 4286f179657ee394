// How kernels over [rows, channels] read a row whose channels do not come in fours: one number at a time.

alias Element = f32;
const LANES = 1u;
