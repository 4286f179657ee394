// Softmax over the last dimension of [rows, columns] that leaves out the columns where a mask is 0. `rowsPerMask`
// neighbouring rows share a row of the mask [rows / rowsPerMask, columns]. A row without any column left is zero.
// From the kernel's signature: p, input, mask, output; a strip is a row.

// The larger of two numbers, each with 1 if it is one and 0 if nothing was seen yet: there is no number that stands for
// the latter, as -Infinity may be seen.
fn larger(x: vec2f, y: vec2f) -> vec2f {
  return select(select(x, y, x.y == 0.0), vec2f(max(x.x, y.x), 1.0), x.y * y.y == 1.0);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer * p.columns;
  let maskRow = at.outer / p.rowsPerMask * p.columns;
  var seen = vec2f();
  for (var c = at.lane; c < p.columns; c += ALONG) {
    if (mask[maskRow + c] != 0.0) { seen = larger(seen, vec2f(input[row + c], 1.0)); }
  }
  let largest = largestOf(thread, seen).x;
  var part = 0.0;
  for (var c = at.lane; c < p.columns; c += ALONG) {
    if (mask[maskRow + c] != 0.0) { part += expOf(input[row + c] - largest); }
  }
  let total = sumOf(thread, part);
  // Asked this way round so that NaN passes: float comparisons are false for it, `!=` too in some compilers.
  let scale = select(1.0 / total, 0.0, total == 0.0);
  for (var c = at.lane; c < p.columns; c += ALONG) {
    output[row + c] = select(0.0, expOf(input[row + c] - largest) * scale, mask[maskRow + c] != 0.0);
  }
}
