// The gradient of an elementwise function of two tensors with respect to one of them, still in the output's shape; the
// sum over broadcast dimensions follows in another kernel. Parameters as in binary.wgsl.

struct Parameters {
  size: u32,
  extent1: u32, extent2: u32, extent3: u32,
  a0: u32, a1: u32, a2: u32, a3: u32,
  b0: u32, b1: u32, b2: u32, b3: u32,
  flat: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x + id.y * groups.x * 64u; i < p.size; i += groups.x * groups.y * 64u) {
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
    let g = gradient[i];
    output[i] = EXPRESSION;
  }
}
