// A tree over the ALONG threads of each strip's column: all of them get what their numbers come to, by COMBINED of x
// and y, two by two.

var<workgroup> HELD: array<NUMBERS, THREADS>;

fn TREE(thread: u32, own: NUMBERS) -> NUMBERS {
  if (ALONG == 1u) { return own; }
  let lane = thread / WIDTH % ALONG;
  HELD[thread] = own;
  for (var reach = ALONG / 2u; reach > 0u; reach /= 2u) {
    workgroupBarrier();
    if (lane < reach) {
      let x = HELD[thread];
      let y = HELD[thread + reach * WIDTH];
      HELD[thread] = COMBINED;
    }
  }
  workgroupBarrier();
  let whole = HELD[thread - lane * WIDTH];
  // The next tree overwrites them.
  workgroupBarrier();
  return whole;
}
