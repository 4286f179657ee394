// Walks the output in its order and the input by strides: permutes dimensions, and repeats along those of stride 0.

struct Parameters {
  size: u32,
  extent1: u32, extent2: u32, extent3: u32, extent4: u32, extent5: u32,
  stride0: u32, stride1: u32, stride2: u32, stride3: u32, stride4: u32, stride5: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x + id.y * groups.x * 64u; i < p.size; i += groups.x * groups.y * 64u) {
    var rest = i;
    var source = (rest % p.extent5) * p.stride5;
    rest /= p.extent5;
    source += (rest % p.extent4) * p.stride4;
    rest /= p.extent4;
    source += (rest % p.extent3) * p.stride3;
    rest /= p.extent3;
    source += (rest % p.extent2) * p.stride2;
    rest /= p.extent2;
    source += (rest % p.extent1) * p.stride1;
    source += (rest / p.extent1) * p.stride0;
    output[i] = input[source];
  }
}
