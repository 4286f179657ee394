// The second way to compute what gemm.wgsl describes, for processors with fast workgroup memory (block.wgsl).
// From the kernel's signature: p, a, b, bias, c.

// The block's first row and column, and where its matrices begin.
struct Place { row: u32, column: u32, a: u32, b: u32 }
var<private> place: Place;

@compute @workgroup_size(THREADS)
fn tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let across = (p.n + COLUMNS - 1u) / COLUMNS;
  let down = (p.m + ROWS - 1u) / ROWS;
  let block = workgroupIndex(group, groups);
  let slice = block / (across * down);
  if (slice >= p.batch * p.parts) { return; }
  let image = slice / p.parts;
  place = Place(block / across % down * ROWS, block % across * COLUMNS, image * p.aBatch, image * p.bBatch);
  let part = slice % p.parts;
  let kBegin = part * p.partDepth;
  multiplyBlock(thread, kBegin, min(kBegin + p.partDepth, p.k));

  for (var half = 0u; half < 16u; half++) {
    let at = placeInBlock(thread, half) + vec2u(place.row, place.column);
    if (at.x >= p.m || at.y >= p.n) { continue; }
    var values = tileQuad(half);
    if (p.hasBias != 0u && part == 0u) {
      let columns = min(at.y + vec4u(0u, 1u, 2u, 3u), vec4u(p.n - 1u));
      values += vec4f(bias[columns.x], bias[columns.y], bias[columns.z], bias[columns.w]);
    }
    storeQuad((slice * p.m + at.x) * p.n + at.y, p.n - at.y, values);
  }
}

fn leftDeep() -> bool { return p.aColumn == 1u; }
fn rightDeep() -> bool { return p.bRow == 1u; }

fn leftPatch(row: u32, k: u32, kEnd: u32) -> mat4x4f {
  return aPatch(place.a, p.aRow, p.aColumn, p.m, place.row + row, k, kEnd);
}

fn rightPatch(column: u32, k: u32, kEnd: u32) -> mat4x4f {
  return bPatch(place.b, p.bColumn, p.bRow, p.n, place.column + column, k, kEnd);
}
