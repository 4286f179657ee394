// The gradient of a convolution of channels-last images with respect to its filter: a product A B whose left matrix,
// one row for each tap and input channel and one column for each output pixel, is never written down. Each thread
// computes a tile (tile.wgsl) of one part of the sum over the pixels, some rows of output pixels; the parts are summed
// afterwards.
// From the kernel's signature: p, x, gradient, partials [parts, kernelHeight, kernelWidth, inputs, outputs].

// Where four rows of A begin: tap and input channel.
struct Taps { y: vec4i, x: vec4i, channel: vec4u }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let depth = p.kernelHeight * p.kernelWidth * p.inputs;
  let across = (p.outputs + 7u) / 8u;
  let down = (depth + 7u) / 8u;
  let thread = threadIndex(id, groups);
  let tileRow = thread / across;
  let column = (thread - tileRow * across) * 8u;
  let part = tileRow / down;
  let row = (tileRow - part * down) * 8u;
  if (part >= p.parts) { return; }

  let rows = eight(row, depth - 1u);
  let low = tapsAt(rows.low);
  let high = tapsAt(rows.high);
  let columns = eight(column, p.outputs - 1u);
  let end = min((part + 1u) * p.partRows, p.images * p.outHeight);
  // The line's image and its row there are counted on: software adapters divide integers lane by lane.
  var image = part * p.partRows / p.outHeight;
  var outRow = part * p.partRows - image * p.outHeight;
  for (var line = part * p.partRows; line < end; line++) {
    let y = i32(outRow * p.stride);
    let seenLow = vec4u(y + low.y) < vec4u(p.height);
    let seenHigh = vec4u(y + high.y) < vec4u(p.height);
    let atLow = (image * p.height + vec4u(y + low.y)) * p.width;
    let atHigh = (image * p.height + vec4u(y + high.y)) * p.width;
    var gradientAt = line * p.outWidth * p.outputs;
    for (var left = 0; left < i32(p.outWidth * p.stride); left += i32(p.stride)) {
      accumulate(
        mat2x4f(sourceAt(low, left, seenLow, atLow), sourceAt(high, left, seenHigh, atHigh)),
        mat2x4f(loadQuad(gradientAt, columns.low), loadQuad(gradientAt, columns.high)),
      );
      gradientAt += p.outputs;
    }
    outRow++;
    if (outRow == p.outHeight) {
      outRow = 0u;
      image++;
    }
  }

  // Sixteen rounds are too many for compilers to unroll, and they are slowest at stores.
  let halves = 2u * min(depth - row, 8u);
  for (var half = 0u; half < halves; half++) {
    let x = column + half % 2u * 4u;
    if (x >= p.outputs) { continue; }
    storeQuad((part * depth + row + half / 2u) * p.outputs + x, p.outputs - x, tileQuad(half));
  }
}

fn tapsAt(row: vec4u) -> Taps {
  let tap = row / p.inputs;
  let tapRow = tap / p.kernelWidth;
  let padding = i32(p.padding);
  return Taps(vec4i(tapRow) - padding, vec4i(tap - tapRow * p.kernelWidth) - padding, row - tap * p.inputs);
}

// What four taps see at column `left`, zero outside of the image; `seen` says whether their rows are inside.
fn sourceAt(taps: Taps, left: i32, seen: vec4<bool>, line: vec4u) -> vec4f {
  let inside = seen & (vec4u(left + taps.x) < vec4u(p.width));
  let at = select(vec4u(), (line + vec4u(left + taps.x)) * p.inputs + taps.channel, inside);
  return select(vec4f(), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), inside);
}
