// Householder QR of a panel of 16 columns of a row-major matrix, by one workgroup: thread t owns every 128th row. Out
// come the panel's part of R, with zeros below it, and the reflections H_0 .. H_15 = I - V T V^T as V and Z = V T (the
// compact WY form of Schreiber and Van Loan), so that the rest of the matrix is updated by two products.
//
// One pass over the rows gives a column's length and its products with all others at once; the scaling that makes it a
// reflector is put in afterwards. So a column costs two barriers.
// From the kernel's signature: p, matrix [rows, columns], vectors [panel, rows, 16], products [panel, rows, 16].

const THREADS = 128u;
/// Squared length below which the rest of a column counts as zero; the matrix has entries up to 1.
const TINY = 1e-30;

var<workgroup> ofThreads: array<vec4f, THREADS * 4u>;
var<workgroup> sums: array<vec4f, 4>; // inner products of the column with all 16, below its diagonal
// The panel's row at the diagonal, for even columns and for odd ones: a thread may be a column ahead of another.
var<workgroup> head: array<vec4f, 8>;
var<workgroup> gram: array<f32, 256>; // V^T V above the diagonal, tau on it
var<workgroup> t: array<vec4f, 64>; // T, row by row

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
  let top = p.panel * 16u;
  let base = p.panel * p.rows * 4u;
  // The fours of a row of the panel. Were it a constant, loops would be unrolled, and software adapters compile for
  // seconds.
  let quads = min(p.columns, 4u);
  for (var k = top + thread; k < p.rows; k += THREADS) {
    for (var q = 0u; q < quads; q++) { vectors[base + k * 4u + q] = matrix[(k * p.columns + top) / 4u + q]; }
  }
  for (var i = thread; i < 256u; i += THREADS) { gram[i] = 0.0; }

  for (var c = 0u; c < 16u && top + c < p.rows; c++) {
    let j = top + c;
    let h = c % 2u * 4u;
    var sum = array<vec4f, 4>();
    for (var k = top + thread; k < p.rows; k += THREADS) {
      let row = base + k * 4u;
      if (k == j) {
        for (var q = 0u; q < quads; q++) { head[h + q] = vectors[row + q]; }
      } else if (k > j) {
        let x = vectors[row + c / 4u][c % 4u];
        for (var q = 0u; q < quads; q++) { sum[q] += x * vectors[row + q]; }
      }
    }
    for (var q = 0u; q < quads; q++) { ofThreads[thread * 4u + q] = sum[q]; }
    workgroupBarrier();
    if (thread < 4u) {
      // In groups of 11, as one long sum would round more: a length that is off by as much makes Q as little
      // orthogonal.
      var total = vec4f();
      for (var first = 0u; first < THREADS; first += 11u) {
        var group = vec4f();
        for (var i = first; i < min(first + 11u, THREADS); i++) { group += ofThreads[i * 4u + thread]; }
        total += group;
      }
      sums[thread] = total;
    }
    workgroupBarrier();

    // The reflector v is 1 at j and inverse * x below; it maps the column to image * e_j.
    let first = head[h + c / 4u][c % 4u];
    let tail = sums[c / 4u][c % 4u];
    var image = first;
    var tau = 0.0;
    var inverse = 0.0;
    if (tail > TINY) {
      image = select(1.0, -1.0, first > 0.0) * sqrt(first * first + tail);
      tau = (image - first) / image;
      inverse = 1.0 / (first - image);
    }
    // Thread i notes v's product with the earlier reflector i.
    if (thread < c) {
      let i = vec2u(thread / 4u, thread % 4u);
      gram[thread * 16u + c] = head[h + i.x][i.y] + inverse * sums[i.x][i.y];
    }
    if (thread == c) { gram[c * 16u + c] = tau; }
    for (var k = top + thread; k < p.rows; k += THREADS) {
      if (k < j) { continue; }
      let row = base + k * 4u;
      let x = select(inverse * vectors[row + c / 4u][c % 4u], 1.0, k == j);
      for (var q = 0u; q < quads; q++) {
        let at = q * 4u + vec4u(0u, 1u, 2u, 3u);
        let updated = vectors[row + q] - x * tau * (head[h + q] + inverse * sums[q]);
        let own = select(x, image, k == j); // R's diagonal stays in V's place till the end
        vectors[row + q] = select(select(vectors[row + q], vec4f(own), at == vec4u(c)), updated, at > vec4u(c));
      }
    }
  }

  // T's rows by the recurrence of its columns: T[i][c] = -tau_c * sum of T[i][l] (v_l . v_c) over i <= l < c.
  workgroupBarrier();
  if (thread < 16u) {
    var row = array<f32, 16>();
    for (var c = thread; c < 16u; c++) {
      let tau = gram[c * 16u + c];
      var sum = select(0.0, -1.0, c == thread);
      for (var l = thread; l < c; l++) { sum += row[l] * gram[l * 16u + c]; }
      row[c] = -tau * sum;
    }
    for (var q = 0u; q < quads; q++) {
      t[thread * 4u + q] = vec4f(row[q * 4u], row[q * 4u + 1u], row[q * 4u + 2u], row[q * 4u + 3u]);
    }
  }
  workgroupBarrier();
  for (var k = top + thread; k < p.rows; k += THREADS) {
    let row = base + k * 4u;
    let diagonal = vec4u(min(k - top, 16u));
    var product = array<vec4f, 4>();
    for (var q = 0u; q < quads; q++) {
      let at = q * 4u + vec4u(0u, 1u, 2u, 3u);
      let held = vectors[row + q];
      matrix[(k * p.columns + top) / 4u + q] = select(vec4f(), held, at >= diagonal);
      let v = select(select(vec4f(), vec4f(1.0), at == diagonal), held, at < diagonal);
      vectors[row + q] = v;
      for (var l = 0u; l < quads; l++) {
        for (var z = 0u; z < quads; z++) { product[z] += v[l] * t[(q * 4u + l) * 4u + z]; }
      }
    }
    for (var q = 0u; q < quads; q++) { products[row + q] = product[q]; }
  }
}
