// Some columns of each row of [rows, columns] times a factor, and behind them the logarithm of the sum of the other
// columns' exponentials: [rows, count + 1]. The indices [rows, count] ascend, so that a thread finds whether the
// columns it walks over are among them by walking over both. From the kernel's signature: p, input, indices, output; a
// strip is a row.

fn scaled(row: u32, column: u32) -> f32 { return p.factor * input[row * p.columns + column]; }

// From the place `next` on, the first index that is not below the column.
fn placeOf(row: u32, column: u32, next: u32) -> u32 {
  var place = next;
  while (place < p.count && u32(indices[row * p.count + place]) < column) { place++; }
  return place;
}

fn isPicked(row: u32, column: u32, place: u32) -> bool {
  return place < p.count && u32(indices[row * p.count + min(place, p.count - 1u)]) == column;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = placeIn(p.rows, 1u, group, groups, thread);
  let row = at.outer;
  var most = -3.4028234e38;
  var place = 0u;
  for (var c = at.lane; c < p.columns; c += ALONG) {
    place = placeOf(row, c, place);
    if (!isPicked(row, c, place)) { most = max(most, scaled(row, c)); }
  }
  let shift = largestOf(thread, most);
  var sum = 0.0;
  place = 0u;
  for (var c = at.lane; c < p.columns; c += ALONG) {
    place = placeOf(row, c, place);
    if (!isPicked(row, c, place)) { sum += expOf(scaled(row, c) - shift); }
  }
  let total = sumOf(thread, sum);
  for (var k = at.lane; k < p.count; k += ALONG) {
    output[row * (p.count + 1u) + k] = scaled(row, u32(indices[row * p.count + k]));
  }
  if (at.lane == 0u) { output[row * (p.count + 1u) + p.count] = shift + logOf(total); }
}
