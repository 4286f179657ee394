// A convolution of channels-last images in which each channel has a filter of its own. A thread computes one Element,
// neighbouring channels of an output pixel, so neighbouring threads read what lies side by side.
// From the kernel's signature: p, x, filters [kernelHeight, kernelWidth, channels], y.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let across = p.channels / LANES;
  let index = threadIndex(id, groups);
  let pixel = index / across;
  let channel = index - pixel * across;
  let line = pixel / p.outWidth;
  let image = line / p.outHeight;
  if (image >= p.images) { return; }
  // Left of and above the image the subtraction wraps around to a large number.
  let top = (line - image * p.outHeight) * p.stride - p.padding;
  let left = (pixel - line * p.outWidth) * p.stride - p.padding;
  var sum = Element(0.0);
  for (var ky = 0u; ky < p.kernelHeight; ky++) {
    let row = top + ky * p.dilation;
    if (row >= p.height) { continue; }
    let start = (image * p.height + row) * p.width;
    for (var kx = 0u; kx < p.kernelWidth; kx++) {
      let column = left + kx * p.dilation;
      if (column >= p.width) { continue; }
      let tap = (ky * p.kernelWidth + kx) * across + channel;
      sum = fma(x[(start + column) * across + channel], filters[tap], sum);
    }
  }
  y[index] = sum;
}
