// How threads share sums along one dimension of [outer, length, inner]. A strip is up to WIDTH neighbours of the inner
// dimension, each with all of its length; it has ALONG threads for each neighbour, of which the l-th takes the numbers
// l, l + ALONG, ... Threads of one strip that stand side by side thus read numbers that lie side by side. A group of
// THREADS has as many strips as fit. The constants are strips.ts's, powers of two; with one thread along a strip there
// is no barrier.

override THREADS: u32 = 64u;
override ALONG: u32 = 1u;
override WIDTH: u32 = 1u;

// Threads beyond the last strip, whom only barriers want, stand behind all numbers: they take and store none.
const BEHIND = 0x80000000u;

struct Place {
  outer: u32,
  inner: u32,
  // Which of the ALONG threads.
  lane: u32,
}

fn placeIn(outer: u32, inner: u32, group: vec3u, groups: vec3u, thread: u32) -> Place {
  let each = ALONG * WIDTH;
  let strip = workgroupIndex(group, groups) * (THREADS / each) + thread / each;
  let across = (inner + WIDTH - 1u) / WIDTH;
  let row = strip / across;
  let column = strip % across * WIDTH + thread % WIDTH;
  if (row >= outer || column >= inner) { return Place(0u, 0u, BEHIND); }
  return Place(row, column, thread / WIDTH % ALONG);
}
