// An elementwise function of one tensor. The expressions stand in core/kernels/elementwise_table.ts; x is the input,
// c a number given with the call.

struct Parameters { size: u32, c: f32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x + id.y * groups.x * 64u; i < p.size; i += groups.x * groups.y * 64u) {
    let x = input[i];
    let c = p.c;
    output[i] = EXPRESSION;
  }
}
