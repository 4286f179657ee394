// The gradient of a depthwise convolution (depthwise.wgsl) with respect to x. A thread gathers for one Element of an
// input pixel from all output pixels that saw it, so no two write to one place.
// From the kernel's signature: p, gradient, filters [kernelHeight, kernelWidth, channels], dx.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let across = p.channels / LANES;
  let index = threadIndex(id, groups);
  let pixel = index / across;
  let channel = index - pixel * across;
  let line = pixel / p.width;
  let image = line / p.height;
  if (image >= p.images) { return; }
  let bottom = line - image * p.height + p.padding;
  let right = pixel - line * p.width + p.padding;
  var sum = Element(0.0);
  for (var ky = 0u; ky < p.kernelHeight; ky++) {
    // Before the first output pixel the subtraction wraps around to a large number.
    let down = bottom - ky * p.dilation;
    let row = down / p.stride;
    if (row * p.stride != down || row >= p.outHeight) { continue; }
    let start = (image * p.outHeight + row) * p.outWidth;
    for (var kx = 0u; kx < p.kernelWidth; kx++) {
      let along = right - kx * p.dilation;
      let column = along / p.stride;
      if (column * p.stride != along || column >= p.outWidth) { continue; }
      let tap = (ky * p.kernelWidth + kx) * across + channel;
      sum = fma(gradient[(start + column) * across + channel], filters[tap], sum);
    }
  }
  dx[index] = sum;
}
