// C = A B for a batch of matrices, each thread one tile of 8 x 8 (tile.wgsl). The order of a matrix in memory is a matter
// of its strides, so transposes cost nothing; a batch stride of 0 repeats one matrix. A long depth can be split: then C
// has one slice for each part, to be summed.

struct Parameters {
  m: u32, n: u32, k: u32, batch: u32,
  aRow: u32, aColumn: u32, aBatch: u32,
  bRow: u32, bColumn: u32, bBatch: u32,
  parts: u32, partDepth: u32,
  hasBias: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<Element>;
@group(0) @binding(3) var<storage, read> bias: array<Element>;
@group(0) @binding(4) var<storage, read_write> c: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  // Threads run along the columns first, then along the rows, the parts and the batch.
  let across = (p.n + 7u) / 8u;
  let down = (p.m + 7u) / 8u;
  let thread = id.x + id.y * groups.x * 64u;
  let column = thread % across * 8u;
  let row = thread / across % down * 8u;
  let slice = thread / (across * down); // of C: [batch, parts]
  let image = slice / p.parts;
  if (image >= p.batch) { return; }
  let kBegin = slice % p.parts * p.partDepth;
  let kEnd = min(kBegin + p.partDepth, p.k);

  let aRows = eight(row, p.m - 1u);
  let aLow = aRows.low * p.aRow;
  let aHigh = aRows.high * p.aRow;
  let columns = eight(column, p.n - 1u);
  let bColumns = Eight(columns.low * p.bColumn, columns.high * p.bColumn);
  var aAt = image * p.aBatch + kBegin * p.aColumn;
  var bAt = image * p.bBatch + kBegin * p.bRow;
  for (var k = kBegin; k < kEnd; k++) {
    let low = aAt + aLow;
    let high = aAt + aHigh;
    accumulate(
      mat2x4f(a[low.x], a[low.y], a[low.z], a[low.w], a[high.x], a[high.y], a[high.z], a[high.w]),
      loadColumns(bAt, bColumns),
    );
    aAt += p.aColumn;
    bAt += p.bRow;
  }

  // Each row in two halves. The loop is too long for the compiler to unroll it, as stores are what it is slowest at.
  let halves = 2u * min(p.m - row, 8u);
  for (var half = 0u; half < halves; half++) {
    let x = column + half % 2u * 4u;
    if (x >= p.n) { continue; }
    var values = tileQuad(half);
    if (p.hasBias != 0u) { values += loadBias(x); }
    storeQuad((slice * p.m + row + half / 2u) * p.n + x, p.n - x, values);
  }
}
