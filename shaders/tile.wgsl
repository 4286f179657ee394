// What the matrix kernels share: one thread computes a tile of eight rows and eight columns. Its 64 sums stay in
// registers, so each number that is loaded is used eight times and no workgroup memory or barrier is needed.

// Two vectors of sums to a row.
var<private> tile: array<vec4f, 16>;

// Adds the outer product of a column of A (eight rows) and a row of B (eight columns).
fn accumulate(a: mat2x4f, b: mat2x4f) {
  tile[0] = fma(vec4f(a[0].x), b[0], tile[0]);
  tile[1] = fma(vec4f(a[0].x), b[1], tile[1]);
  tile[2] = fma(vec4f(a[0].y), b[0], tile[2]);
  tile[3] = fma(vec4f(a[0].y), b[1], tile[3]);
  tile[4] = fma(vec4f(a[0].z), b[0], tile[4]);
  tile[5] = fma(vec4f(a[0].z), b[1], tile[5]);
  tile[6] = fma(vec4f(a[0].w), b[0], tile[6]);
  tile[7] = fma(vec4f(a[0].w), b[1], tile[7]);
  tile[8] = fma(vec4f(a[1].x), b[0], tile[8]);
  tile[9] = fma(vec4f(a[1].x), b[1], tile[9]);
  tile[10] = fma(vec4f(a[1].y), b[0], tile[10]);
  tile[11] = fma(vec4f(a[1].y), b[1], tile[11]);
  tile[12] = fma(vec4f(a[1].z), b[0], tile[12]);
  tile[13] = fma(vec4f(a[1].z), b[1], tile[13]);
  tile[14] = fma(vec4f(a[1].w), b[0], tile[14]);
  tile[15] = fma(vec4f(a[1].w), b[1], tile[15]);
}

// Four columns of a row of the tile. A switch, since an array that is indexed by a variable would not stay in
// registers.
fn tileQuad(index: u32) -> vec4f {
  switch (index) {
    case 0u: { return tile[0]; }
    case 1u: { return tile[1]; }
    case 2u: { return tile[2]; }
    case 3u: { return tile[3]; }
    case 4u: { return tile[4]; }
    case 5u: { return tile[5]; }
    case 6u: { return tile[6]; }
    case 7u: { return tile[7]; }
    case 8u: { return tile[8]; }
    case 9u: { return tile[9]; }
    case 10u: { return tile[10]; }
    case 11u: { return tile[11]; }
    case 12u: { return tile[12]; }
    case 13u: { return tile[13]; }
    case 14u: { return tile[14]; }
    default: { return tile[15]; }
  }
}

// Eight neighbouring indices.
struct Eight { low: vec4u, high: vec4u }

// Eight indices from `first` on, none beyond `last`: a tile that reaches over the edge reads the edge again.
fn eight(first: u32, last: u32) -> Eight {
  return Eight(min(first + vec4u(0u, 1u, 2u, 3u), vec4u(last)), min(first + vec4u(4u, 5u, 6u, 7u), vec4u(last)));
}
