// The gradient of a convolution in groups (grouped_conv2d.wgsl) with respect to its filters. A thread sums for one
// number of a filter over one part of the output pixels, some rows; the parts are summed afterwards.
// From the kernel's signature: p, x, gradient, partials [parts, kernelHeight, kernelWidth, inputs / groups, outputs].

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = threadIndex(id, groups);
  let seen = p.inputs / p.groups;
  let place = index / p.outputs;
  let output = index - place * p.outputs;
  let tapOfPart = place / seen;
  let input = output / (p.outputs / p.groups) * seen + place - tapOfPart * seen;
  let taps = p.kernelHeight * p.kernelWidth;
  let part = tapOfPart / taps;
  if (part >= p.parts) { return; }
  let tap = tapOfPart - part * taps;
  let ky = tap / p.kernelWidth;
  // Left of and above the image the subtraction wraps around to a large number.
  let top = ky * p.dilation - p.padding;
  let left = (tap - ky * p.kernelWidth) * p.dilation - p.padding;
  let end = min((part + 1u) * p.partRows, p.images * p.outHeight);
  var sum = 0.0;
  for (var line = part * p.partRows; line < end; line++) {
    let image = line / p.outHeight;
    let row = (line - image * p.outHeight) * p.stride + top;
    if (row >= p.height) { continue; }
    let start = (image * p.height + row) * p.width;
    for (var outColumn = 0u; outColumn < p.outWidth; outColumn++) {
      let column = outColumn * p.stride + left;
      if (column >= p.width) { continue; }
      let by = gradient[(line * p.outWidth + outColumn) * p.outputs + output];
      sum = fma(x[(start + column) * p.inputs + input], by, sum);
    }
  }
  partials[index] = sum;
}
