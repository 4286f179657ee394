// The gradient of a convolution in groups (grouped_conv2d.wgsl) with respect to x. A thread gathers for one channel of
// an input pixel from all output pixels that saw it, so no two write to one place.
// From the kernel's signature: p, gradient, filters [kernelHeight, kernelWidth, inputs / groups, outputs], dx.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = threadIndex(id, groups);
  let pixel = index / p.inputs;
  let input = index - pixel * p.inputs;
  let line = pixel / p.width;
  let image = line / p.height;
  if (image >= p.images) { return; }
  let seen = p.inputs / p.groups;
  let made = p.outputs / p.groups;
  let first = input / seen * made;
  let bottom = line - image * p.height + p.padding;
  let right = pixel - line * p.width + p.padding;
  var sum = 0.0;
  for (var ky = 0u; ky < p.kernelHeight; ky++) {
    // Before the first output pixel the subtraction wraps around to a large number.
    let down = bottom - ky * p.dilation;
    let row = down / p.stride;
    if (row * p.stride != down || row >= p.outHeight) { continue; }
    for (var kx = 0u; kx < p.kernelWidth; kx++) {
      let along = right - kx * p.dilation;
      let column = along / p.stride;
      if (column * p.stride != along || column >= p.outWidth) { continue; }
      let at = ((image * p.outHeight + row) * p.outWidth + column) * p.outputs + first;
      let tap = ((ky * p.kernelWidth + kx) * seen + input % seen) * p.outputs + first;
      for (var o = 0u; o < made; o++) { sum = fma(gradient[at + o], filters[tap + o], sum); }
    }
  }
  dx[index] = sum;
}
