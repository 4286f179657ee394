// C = A B for a batch of matrices, each thread one tile of 8 x 8 (tile.wgsl). How a matrix lies in memory is a matter
// of its strides, so transposes cost nothing, and a batch stride of 0 repeats one matrix. A long depth can be cut into
// parts: then C has a slice for each, to be summed.
// From the kernel's signature: p, a, b, bias, c.

@compute @workgroup_size(64)
fn registers(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  // Eight neighbouring threads, which a software adapter runs in lockstep, cover a block of tiles, 4 x 2 where the
  // width allows: together they read fewer rows of A and columns of B than eight tiles in a row. Divisions by powers of
  // two are shifts here, and remainders are what a product leaves: software adapters divide integers lane by lane.
  let across = (p.n + 7u) / 8u;
  let wide = select(0u, select(1u, 2u, across % 4u == 0u), across % 2u == 0u); // as a power of two
  let high = 3u - wide;
  let blocksAcross = across >> wide;
  let blocks = blocksAcross * ((((p.m + 7u) / 8u) + (1u << high) - 1u) >> high);
  let thread = threadIndex(id, groups);
  let slice = thread / 8u / blocks;
  if (slice >= p.batch * p.parts) { return; }
  let block = thread / 8u - slice * blocks;
  let blockRow = block / blocksAcross;
  let column = (((block - blockRow * blocksAcross) << wide) + (thread & ((1u << wide) - 1u))) * 8u;
  let row = ((blockRow << high) + ((thread % 8u) >> wide)) * 8u;
  let image = slice / p.parts;
  let kBegin = (slice - image * p.parts) * p.partDepth;
  let kEnd = min(kBegin + p.partDepth, p.k);

  let rows = eight(row, p.m - 1u);
  let columns = eight(column, p.n - 1u);
  let bLow = columns.low * p.bColumn;
  let bHigh = columns.high * p.bColumn;
  var aLow = rows.low * p.aRow + image * p.aBatch + kBegin * p.aColumn;
  var aHigh = rows.high * p.aRow + image * p.aBatch + kBegin * p.aColumn;
  var bAt = image * p.bBatch + kBegin * p.bRow;
  for (var k = kBegin; k < kEnd; k++) {
    let ak = mat2x4f(a[aLow.x], a[aLow.y], a[aLow.z], a[aLow.w], a[aHigh.x], a[aHigh.y], a[aHigh.z], a[aHigh.w]);
    accumulate(ak, mat2x4f(loadQuad(bAt, bLow), loadQuad(bAt, bHigh)));
    aLow += p.aColumn;
    aHigh += p.aColumn;
    bAt += p.bRow;
  }
  if (row >= p.m) { return; }
  let biased = p.hasBias != 0u && slice == image * p.parts;
  // Each row in two halves: sixteen rounds are too many for compilers to unroll, and they are slowest at stores.
  let halves = 2u * min(p.m - row, 8u);
  for (var half = 0u; half < halves; half++) {
    let x = column + half % 2u * 4u;
    if (x >= p.n) { continue; }
    var values = tileQuad(half);
    if (biased) {
      let at = min(x + vec4u(0u, 1u, 2u, 3u), vec4u(p.n - 1u));
      values += vec4f(bias[at.x], bias[at.y], bias[at.z], bias[at.w]);
    }
    storeQuad((slice * p.m + row + half / 2u) * p.n + x, p.n - x, values);
  }
}
