// Walks the output in its order and the input by strides: permutes dimensions, and repeats along those of stride 0.
// From the kernel's signature: p, input, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = threadIndex(id, groups); i < p.size; i += threadCount(groups)) {
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
