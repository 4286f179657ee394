// An elementwise function of one tensor, or its gradient. The expressions stand in core/kernels/elementwise_table.ts; x
// is the input, c a number given with the call, and g, which only gradients have, d loss / d output.
// From the kernels' signatures: p, input, output, and gradient where GRADIENT reads it.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = threadIndex(id, groups); i < p.size; i += threadCount(groups)) {
    let x = input[i];
    GRADIENT
    let c = p.c;
    output[i] = EXPRESSION;
  }
}
