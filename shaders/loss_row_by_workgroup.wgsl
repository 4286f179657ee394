// Rows of [rows, columns] for the losses, one workgroup to a row: its threads take every WORKGROUP-th column, so that
// neighbours read neighbours, and add up what they have along a tree.

const ROW_THREADS = u32(WORKGROUP);

var<workgroup> shares: array<vec2f, WORKGROUP>;

fn rowOf(_id: vec3u, group: vec3u, groups: vec3u) -> u32 { return workgroupIndex(group, groups); }
fn laneOf(local: u32) -> u32 { return local; }

fn totalOfRow(x: vec2f, lane: u32) -> vec2f {
  shares[lane] = x;
  workgroupBarrier();
  for (var width = ROW_THREADS / 2u; width > 0u; width /= 2u) {
    if (lane < width) { shares[lane] += shares[lane + width]; }
    workgroupBarrier();
  }
  let total = shares[0];
  // The next sum writes where this one is read.
  workgroupBarrier();
  return total;
}

fn largestOfRow(x: vec2f, lane: u32) -> vec2f {
  shares[lane] = x;
  workgroupBarrier();
  for (var width = ROW_THREADS / 2u; width > 0u; width /= 2u) {
    if (lane < width) { shares[lane] = max(shares[lane], shares[lane + width]); }
    workgroupBarrier();
  }
  let largest = shares[0];
  workgroupBarrier();
  return largest;
}
