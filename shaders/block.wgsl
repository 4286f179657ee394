// What matrix kernels for processors with fast workgroup memory share: a workgroup computes a block of ROWS x COLUMNS
// of C. It brings 16 columns of A and 16 rows of B at a time into workgroup memory, so a number is read from the
// device's memory once for all threads. Each thread computes 8 x 8 (tile.wgsl): two quads of rows, half a block apart,
// by two quads of columns, so that neighbouring threads read and write neighbouring vectors.
// ROWS, COLUMNS and THREADS stand in front of this; what a kernel multiplies is said by its leftPatch and rightPatch:
// four rows of A (columns of B), from one of the block on, at four k, those from kEnd on zero. leftDeep and rightDeep
// say whether their numbers are neighbours along k.

const DEPTH = 16u;
const ROW_QUADS = ROWS / 4u;
const COLUMN_QUADS = COLUMNS / 4u;
const THREADS_ACROSS = COLUMNS / 8u;

var<workgroup> leftBlock: array<vec4f, ROWS * 4u>; // [DEPTH, ROW_QUADS], four rows to a vector
var<workgroup> rightBlock: array<vec4f, COLUMNS * 4u>; // [DEPTH, COLUMN_QUADS], four columns to a vector

// Adds the products of A's and B's numbers from kBegin to kEnd to the threads' tiles.
fn multiplyBlock(thread: u32, kBegin: u32, kEnd: u32) {
  let row = thread / THREADS_ACROSS;
  let column = thread % THREADS_ACROSS;
  for (var k = kBegin; k < kEnd; k += DEPTH) {
    for (var i = thread; i < ROWS; i += THREADS) {
      let place = patchPlace(i, ROW_QUADS, leftDeep());
      let numbers = leftPatch(place.x * 4u, k + place.y * 4u, kEnd);
      let at = place.y * 4u * ROW_QUADS + slot(place.x, place.y);
      leftBlock[at] = numbers[0];
      leftBlock[at + ROW_QUADS] = numbers[1];
      leftBlock[at + 2u * ROW_QUADS] = numbers[2];
      leftBlock[at + 3u * ROW_QUADS] = numbers[3];
    }
    // Where there are threads enough for both, the others.
    for (var i = thread ^ (THREADS / 2u); i < COLUMNS; i += THREADS) {
      let place = patchPlace(i, COLUMN_QUADS, rightDeep());
      let numbers = rightPatch(place.x * 4u, k + place.y * 4u, kEnd);
      let at = place.y * 4u * COLUMN_QUADS + slot(place.x, place.y);
      rightBlock[at] = numbers[0];
      rightBlock[at + COLUMN_QUADS] = numbers[1];
      rightBlock[at + 2u * COLUMN_QUADS] = numbers[2];
      rightBlock[at + 3u * COLUMN_QUADS] = numbers[3];
    }
    workgroupBarrier();
    for (var i = 0u; i < DEPTH; i++) {
      let atLeft = i * ROW_QUADS + slot(row, i / 4u);
      let atRight = i * COLUMN_QUADS + slot(column, i / 4u);
      accumulate(
        mat2x4f(leftBlock[atLeft], leftBlock[atLeft ^ (ROW_QUADS / 2u)]),
        mat2x4f(rightBlock[atRight], rightBlock[atRight ^ (COLUMN_QUADS / 2u)]),
      );
    }
    workgroupBarrier();
  }
}

// The quad (x) and the four k (y) of a thread's patch: neighbouring threads read neighbouring numbers.
fn patchPlace(i: u32, quads: u32, deep: bool) -> vec2u {
  return select(vec2u(i % quads, i / quads), vec2u(i / 4u, i % 4u), deep);
}

// Where a quad stands in the block's lines of these four k: threads that write different k at once use different
// memory banks.
fn slot(quad: u32, four: u32) -> u32 {
  return quad ^ (four * 2u);
}

// The row and the column in the block of half a row of a thread's tile, as tileQuad counts them.
fn placeInBlock(thread: u32, half: u32) -> vec2u {
  let row = half / 2u;
  return vec2u(
    row / 4u * (ROWS / 2u) + thread / THREADS_ACROSS * 4u + row % 4u,
    half % 2u * (COLUMNS / 2u) + thread % THREADS_ACROSS * 4u,
  );
}
