// Columns of a row-major matrix, chosen and scaled.
// From the kernel's signature: p, input [rows, columns], order [kept] (whole numbers), factors [kept],
// output [rows, kept].

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = threadIndex(id, groups);
  if (i >= p.rows * p.kept) { return; }
  let c = i % p.kept;
  output[i] = input[i / p.kept * p.columns + u32(order[c])] * factors[c];
}
