// How kernels over [rows, channels] read a row whose channels come in fours: by vectors.

alias Element = vec4f;
const LANES = 4u;
