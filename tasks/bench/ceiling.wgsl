// What the adapter can do at most: multiply-adds without memory, and memory without arithmetic.

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

// Written out, as a loop costs a software adapter more than the arithmetic in it.
fn eight(x: vec4f, scale: vec4f, shift: vec4f) -> vec4f {
  let half = fma(fma(fma(fma(x, scale, shift), scale, shift), scale, shift), scale, shift);
  return fma(fma(fma(fma(half, scale, shift), scale, shift), scale, shift), scale, shift);
}

override rounds: u32 = 1;

// Eight independent chains hide the latency of one. The coefficients are read from memory and the results differ by
// invocation, so that no compiler can work them out beforehand.
@compute @workgroup_size(64)
fn multiplyAdd(@builtin(global_invocation_id) id: vec3u) {
  let scale = input[0];
  let shift = input[1];
  var a = shift * f32(id.x);
  var b = a + 1;
  var c = a + 2;
  var d = a + 3;
  var e = a + 4;
  var f = a + 5;
  var g = a + 6;
  var h = a + 7;
  for (var i = 0u; i < rounds; i++) {
    a = eight(a, scale, shift);
    b = eight(b, scale, shift);
    c = eight(c, scale, shift);
    d = eight(d, scale, shift);
    e = eight(e, scale, shift);
    f = eight(f, scale, shift);
    g = eight(g, scale, shift);
    h = eight(h, scale, shift);
  }
  output[id.x] = ((a + b) + (c + d)) + ((e + f) + (g + h));
}

// The grid has two dimensions since one may be 65535 workgroups wide at most.
@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  output[i] = input[i];
}
