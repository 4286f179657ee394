// The second way to compute what gemm.wgsl describes, for processors with fast workgroup memory: a workgroup shares a
// block of 64 x 64 of C. It brings 16 columns of A and 16 rows of B at a time into workgroup memory, so each number is
// read from the device's memory by one thread instead of eight.

const DEPTH = 16u;
// Vectors from one k to the next, one more than needed: threads that write neighbouring k use different memory banks.
const STEP = 17u;

var<workgroup> blockA: array<vec4f, 272>; // [DEPTH, STEP], four rows to a vector
var<workgroup> blockB: array<vec4f, 272>; // [DEPTH, STEP], four columns to a vector

@compute @workgroup_size(64)
fn tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let across = (p.n + 63u) / 64u;
  let down = (p.m + 63u) / 64u;
  let block = workgroupIndex(group, groups);
  let column = block % across * 64u;
  let row = block / across % down * 64u;
  let slice = block / (across * down);
  if (slice >= p.batch * p.parts) { return; }
  let kBegin = slice % p.parts * p.partDepth;
  let kEnd = min(kBegin + p.partDepth, p.k);
  let aBegin = slice / p.parts * p.aBatch;
  let bBegin = slice / p.parts * p.bBatch;

  for (var k = kBegin; k < kEnd; k += DEPTH) {
    for (var i = thread; i < 256u; i += 64u) {
      // Neighbouring threads read neighbouring numbers: along k or across it, as the matrix lies.
      let ofA = select(vec2u(i / 16u, i % 16u), vec2u(i % 16u, i / 16u), p.aColumn == 1u);
      blockA[ofA.x * STEP + ofA.y] = select(vec4f(), loadRows(aBegin, row + ofA.y * 4u, k + ofA.x), k + ofA.x < kEnd);
      let ofB = select(vec2u(i / 16u, i % 16u), vec2u(i % 16u, i / 16u), p.bRow == 1u);
      let columns = min(column + ofB.y * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(p.n - 1u)) * p.bColumn;
      let kRow = bBegin + min(k + ofB.x, p.k - 1u) * p.bRow;
      blockB[ofB.x * STEP + ofB.y] = select(vec4f(), loadQuad(kRow, columns), k + ofB.x < kEnd);
    }
    workgroupBarrier();
    for (var i = 0u; i < DEPTH; i++) {
      let atA = i * STEP + thread / 8u * 2u;
      let atB = i * STEP + thread % 8u * 2u;
      accumulate(mat2x4f(blockA[atA], blockA[atA + 1u]), mat2x4f(blockB[atB], blockB[atB + 1u]));
    }
    workgroupBarrier();
  }
  storeTile(slice, row + thread / 8u * 8u, column + thread % 8u * 8u);
}

fn loadRows(begin: u32, row: u32, k: u32) -> vec4f {
  let rows = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(p.m - 1u));
  let at = begin + rows * p.aRow + min(k, p.k - 1u) * p.aColumn;
  return vec4f(a[at.x], a[at.y], a[at.z], a[at.w]);
}
