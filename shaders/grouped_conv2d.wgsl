// A convolution of channels-last images in groups of channels that do not see each other, its filters' taps a dilation
// apart. A thread computes one number, a channel of an output pixel.
// From the kernel's signature: p, x, filters [kernelHeight, kernelWidth, inputs / groups, outputs], y.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = threadIndex(id, groups);
  let pixel = index / p.outputs;
  let output = index - pixel * p.outputs;
  let line = pixel / p.outWidth;
  let image = line / p.outHeight;
  if (image >= p.images) { return; }
  let seen = p.inputs / p.groups;
  let first = output / (p.outputs / p.groups) * seen;
  // Left of and above the image the subtraction wraps around to a large number.
  let top = (line - image * p.outHeight) * p.stride - p.padding;
  let left = (pixel - line * p.outWidth) * p.stride - p.padding;
  var sum = 0.0;
  for (var ky = 0u; ky < p.kernelHeight; ky++) {
    let row = top + ky * p.dilation;
    if (row >= p.height) { continue; }
    for (var kx = 0u; kx < p.kernelWidth; kx++) {
      let column = left + kx * p.dilation;
      if (column >= p.width) { continue; }
      let at = ((image * p.height + row) * p.width + column) * p.inputs + first;
      var tap = (ky * p.kernelWidth + kx) * seen * p.outputs + output;
      for (var i = 0u; i < seen; i++) {
        sum = fma(x[at + i], filters[tap], sum);
        tap += p.outputs;
      }
    }
  }
  y[index] = sum;
}
