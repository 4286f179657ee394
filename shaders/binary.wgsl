// An elementwise function of two tensors with broadcasting, or its gradient with respect to one of them, still in the
// output's shape: the sum over broadcast dimensions follows in another kernel. Neighbouring dimensions that both
// tensors run through alike are merged beforehand, so four remain at most; an operand's stride along a broadcast
// dimension is 0.
// From the kernels' signatures: p (flat 1: both operands have the output's shape), a, b, output, and gradient where
// GRADIENT reads it.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = threadIndex(id, groups); i < p.size; i += threadCount(groups)) {
    var ia = i;
    var ib = i;
    if (p.flat == 0u) {
      var rest = i;
      let i3 = rest % p.extent3;
      rest /= p.extent3;
      let i2 = rest % p.extent2;
      rest /= p.extent2;
      let i1 = rest % p.extent1;
      let i0 = rest / p.extent1;
      ia = i0 * p.a0 + i1 * p.a1 + i2 * p.a2 + i3 * p.a3;
      ib = i0 * p.b0 + i1 * p.b1 + i2 * p.b2 + i3 * p.b3;
    }
    let x = a[ia];
    let y = b[ib];
    GRADIENT
    output[i] = EXPRESSION;
  }
}
