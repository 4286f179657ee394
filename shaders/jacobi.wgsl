// The rotations of one round of one-sided block Jacobi on the columns of a row-major matrix. The columns lie in blocks
// of 16, and each workgroup takes two neighbouring blocks: it forms the Gram matrix of their 32 columns and rotates
// each pair of them once towards a right angle, in 31 steps of 16 disjoint pairs. The product of the rotations is a 32
// x 32 matrix W, by which jacobi_rotate.wgsl then multiplies the columns.
//
// Rotations and W are kept less the identity. Hundreds of them multiply and most turn very little: held as numbers near
// 1 they would lose those digits, and the columns their lengths.
// From the kernel's signature: p, input [rows, columns], rotation (W - I: [pair, 32, 32]), cosines (the largest
// |cosine| a pair of blocks began with).

/// Squared length below which a column counts as zero; the matrix has entries up to 1.
const TINY = 1e-30;
/// Rows of the 32 x 32 matrices lie 33 numbers apart, so that a column of them does not fall on one memory bank.
const STRIDE = 33u;

var<workgroup> g: array<f32, 32u * STRIDE>;
var<workgroup> w: array<f32, 32u * STRIDE>;
var<workgroup> turns: array<vec2f, 16>; // cosine - 1 and sine of each pair's rotation
var<workgroup> largest: atomic<u32>; // bits of a float that is not negative: they order as the float does
var<workgroup> settled: u32; // the same once all have had their say; not every compiler loads an atomic uniformly

/// The columns that pair `i` of step `step` rotates: the circle tournament of 32.
fn pairOf(i: u32, step: u32) -> vec2u {
  if (i == 0u) { return vec2u(step, 31u); }
  return vec2u((step + i) % 31u, (step + 31u - i) % 31u);
}

/// The cosine less 1 and the sine of the smaller rotation that brings columns of these inner products to right angles.
fn turnOf(x: f32, y: f32, product: f32) -> vec2f {
  if (x < TINY || y < TINY || abs(product) <= 0.1 * p.tolerance * sqrt(x) * sqrt(y)) { return vec2f(); }
  let zeta = (y - x) / (2.0 * product);
  let size = abs(zeta);
  // The square of a large zeta would overflow, and changes nothing.
  let tangent = select(1.0, -1.0, zeta < 0.0) / (size + select(size, sqrt(1.0 + zeta * zeta), size < 1e4));
  let cosine = inverseSqrt(1.0 + tangent * tangent);
  let sine = cosine * tangent;
  return vec2f(-sine * sine / (1.0 + cosine), sine);
}

/// What a rotation adds to a pair of numbers.
fn change(v: vec2f, turn: vec2f) -> vec2f {
  return vec2f(turn.x * v.x - turn.y * v.y, turn.y * v.x + turn.x * v.y);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let quads = p.columns / 4u;
  let i0 = thread / 8u * 4u;
  let j0 = thread % 8u * 4u;
  var sum = array<vec4f, 4>();
  for (var k = 0u; k < p.rows; k++) {
    let row = k * quads + group.x * 8u;
    let x = input[row + i0 / 4u];
    let y = input[row + j0 / 4u];
    sum[0] += x.x * y;
    sum[1] += x.y * y;
    sum[2] += x.z * y;
    sum[3] += x.w * y;
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      g[(i0 + i) * STRIDE + j0 + j] = sum[i][j];
      w[(i0 + i) * STRIDE + j0 + j] = 0.0;
    }
  }
  workgroupBarrier();
  for (var i = i0; i < i0 + 4u; i++) {
    for (var j = j0; j < j0 + 4u; j++) {
      let x = g[i * STRIDE + i];
      let y = g[j * STRIDE + j];
      if (i < j && x >= TINY && y >= TINY) {
        atomicMax(&largest, bitcast<u32>(abs(g[i * STRIDE + j]) / (sqrt(x) * sqrt(y))));
      }
    }
  }
  workgroupBarrier();
  if (thread == 0u) { settled = atomicLoad(&largest); }
  let cosine = bitcast<f32>(workgroupUniformLoad(&settled));
  if (thread == 0u) { cosines[p.slot + group.x] = cosine; }
  if (cosine <= p.tolerance) { return; }

  for (var step = 0u; step < 31u; step++) {
    if (thread < 16u) {
      let pair = pairOf(thread, step);
      turns[thread] = turnOf(g[pair.x * STRIDE + pair.x], g[pair.y * STRIDE + pair.y], g[pair.x * STRIDE + pair.y]);
    }
    workgroupBarrier();
    // G <- J^T G J: the 2 x 2 block where two pairs meet depends on itself and the two rotations only.
    for (var block = thread; block < 256u; block += 64u) {
      let rows = pairOf(block / 16u, step) * STRIDE;
      let columns = pairOf(block % 16u, step);
      let left = turns[block / 16u];
      let right = turns[block % 16u];
      var first = vec2f(g[rows.x + columns.x], g[rows.y + columns.x]);
      var second = vec2f(g[rows.x + columns.y], g[rows.y + columns.y]);
      first += change(first, left);
      second += change(second, left);
      let top = vec2f(first.x, second.x) + change(vec2f(first.x, second.x), right);
      let bottom = vec2f(first.y, second.y) + change(vec2f(first.y, second.y), right);
      g[rows.x + columns.x] = top.x;
      g[rows.x + columns.y] = top.y;
      g[rows.y + columns.x] = bottom.x;
      g[rows.y + columns.y] = bottom.y;
    }
    // W <- W J
    for (var entry = thread; entry < 512u; entry += 64u) {
      let columns = pairOf(entry % 16u, step);
      let row = entry / 16u;
      let at = columns + row * STRIDE;
      let held = vec2f(w[at.x], w[at.y]);
      let added = change(held + select(vec2f(), vec2f(1.0), columns == vec2u(row)), turns[entry % 16u]);
      w[at.x] = held.x + added.x;
      w[at.y] = held.y + added.y;
    }
    workgroupBarrier();
  }
  for (var entry = thread; entry < 1024u; entry += 64u) {
    rotation[group.x * 1024u + entry] = w[entry / 32u * STRIDE + entry % 32u];
  }
}
