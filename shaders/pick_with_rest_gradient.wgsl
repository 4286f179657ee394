// Gradient of pick_with_rest.wgsl, one thread to a number of [rows, columns]: that of a picked column's own place, else
// that of the rest times the column's share of it.
// From the kernel's signature: p, input, indices, picked, gradient, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = threadIndex(id, groups); i < p.rows * p.columns; i += threadCount(groups)) {
    let row = i / p.columns;
    let column = i % p.columns;
    // By halves: the first index that is not below the column.
    var first = 0u;
    var behind = p.count;
    while (first < behind) {
      let middle = (first + behind) / 2u;
      if (u32(indices[row * p.count + middle]) < column) { first = middle + 1u; } else { behind = middle; }
    }
    let rest = row * (p.count + 1u) + p.count;
    if (first < p.count && u32(indices[row * p.count + min(first, p.count - 1u)]) == column) {
      output[i] = p.factor * gradient[row * (p.count + 1u) + first];
    } else {
      output[i] = p.factor * gradient[rest] * expOf(p.factor * input[i] - picked[rest]);
    }
  }
}
