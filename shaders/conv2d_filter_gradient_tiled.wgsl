// The second way to compute what conv2d_filter_gradient.wgsl does, for processors with fast workgroup memory
// (block.wgsl): numbers of A are looked up in the images while they are brought into a block.
// From the kernel's signature: p, x, gradient, partials.

// For each row of the block: the tap's column and row in the image, from the output pixel's own, and the channel.
var<workgroup> taps: array<vec4i, ROWS>;
// The block's first column.
var<private> firstColumn: u32;

@compute @workgroup_size(THREADS)
fn tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let depth = p.kernelHeight * p.kernelWidth * p.inputs;
  let across = (p.outputs + COLUMNS - 1u) / COLUMNS;
  let down = (depth + ROWS - 1u) / ROWS;
  let block = workgroupIndex(group, groups);
  let part = block / (across * down);
  if (part >= p.parts) { return; }
  let row = block / across % down * ROWS;
  firstColumn = block % across * COLUMNS;
  for (var i = thread; i < ROWS; i += THREADS) {
    let k = min(row + i, depth - 1u);
    let tap = k / p.inputs;
    let tapRow = tap / p.kernelWidth;
    let at = vec2i(vec2u(tap - tapRow * p.kernelWidth, tapRow)) - i32(p.padding);
    taps[i] = vec4i(at, i32(k - tap * p.inputs), 0);
  }
  workgroupBarrier();
  let end = min((part + 1u) * p.partRows, p.images * p.outHeight);
  multiplyBlock(thread, part * p.partRows * p.outWidth, end * p.outWidth);

  for (var half = 0u; half < 16u; half++) {
    let at = placeInBlock(thread, half) + vec2u(row, firstColumn);
    if (at.x >= depth || at.y >= p.outputs) { continue; }
    storeQuad((part * depth + at.x) * p.outputs + at.y, p.outputs - at.y, tileQuad(half));
  }
}

fn leftDeep() -> bool { return false; }
fn rightDeep() -> bool { return false; }

// What four taps see from four output pixels: column, row and image of each are counted on from the first.
fn leftPatch(row: u32, k: u32, kEnd: u32) -> mat4x4f {
  if (k >= kEnd) { return mat4x4f(); }
  let line = k / p.outWidth;
  let image = line / p.outHeight;
  let first = vec3u(k - line * p.outWidth, line - image * p.outHeight, image);
  let second = following(first);
  let third = following(second);
  return mat4x4f(
    seen(row, first),
    select(vec4f(), seen(row, second), k + 1u < kEnd),
    select(vec4f(), seen(row, third), k + 2u < kEnd),
    select(vec4f(), seen(row, following(third)), k + 3u < kEnd),
  );
}

fn rightPatch(column: u32, k: u32, kEnd: u32) -> mat4x4f {
  return gradientPatch(0u, 1u, p.outputs, p.outputs, firstColumn + column, k, kEnd);
}

fn following(pixel: vec3u) -> vec3u {
  let x = pixel.x + 1u;
  let y = pixel.y + select(0u, 1u, x == p.outWidth);
  let image = pixel.z + select(0u, 1u, y == p.outHeight);
  return vec3u(select(x, 0u, x == p.outWidth), select(y, 0u, y == p.outHeight), image);
}
