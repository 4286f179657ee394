// The second way to compute what conv2d.wgsl does, for processors with fast workgroup memory (block.wgsl): numbers of A
// are looked up in the images while they are brought into a block. A long sum can be cut into parts: then there is a
// result for each, to be summed.
// From the kernels' signatures: p, filters. DIRECTION stands for one of conv2d_direction.wgsl.

// For each row of the block: column and row of the source pixel that its first tap sees, the first pixel of its image,
// and its place in the result, negative if there is none.
var<workgroup> pixels: array<vec4i, ROWS>;

// Outside of every image, by whatever tap.
const NOWHERE = vec2i(-0x40000000);

// The block's first column, and the taps of its pixels' class.
struct Place { column: u32, firstTap: vec2u, tapsAcross: u32 }
var<private> place: Place;
var<private> direction: Direction;

@compute @workgroup_size(THREADS)
fn tiled(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let d = DIRECTION();
  let grid = (d.size + d.classes - 1u) / d.classes; // pixels of a class, along each axis
  let count = p.images * grid.x * grid.y;
  let across = (d.columns + COLUMNS - 1u) / COLUMNS;
  let down = (count + ROWS - 1u) / ROWS;
  let block = workgroupIndex(group, groups);
  let slice = block / (across * down);
  let part = slice / (d.classes * d.classes);
  if (part >= p.parts) { return; }
  let classIndex = slice - part * d.classes * d.classes;
  let corner = vec2u(classIndex % d.classes, classIndex / d.classes); // the class's first pixel
  let firstTap = (corner + p.padding) % d.classes;
  let kernel = vec2u(p.kernelWidth, p.kernelHeight);
  let taps = (max(kernel, firstTap) - firstTap + d.classes - 1u) / d.classes;
  let shift = (vec2i(corner) + d.shift) / i32(d.classes);
  place = Place(block % across * COLUMNS, firstTap, taps.x);
  direction = d;

  let row = block / across % down * ROWS;
  for (var i = thread; i < ROWS; i += THREADS) {
    let line = (row + i) / grid.x;
    let image = line / grid.y;
    let at = vec2u(row + i - line * grid.x, line - image * grid.y);
    let seenFrom = at * d.classes + corner;
    let exists = row + i < count && all(seenFrom < d.size);
    pixels[i] = vec4i(
      select(NOWHERE, vec2i(at) * d.scale + shift, exists),
      i32(image * d.sourceSize.y * d.sourceSize.x),
      select(-1, i32((image * d.size.y + seenFrom.y) * d.size.x + seenFrom.x), exists),
    );
  }
  workgroupBarrier();
  let kBegin = part * p.partDepth;
  multiplyBlock(thread, kBegin, min(kBegin + p.partDepth, taps.x * taps.y * d.depth));

  let partBegin = part * p.images * d.size.y * d.size.x;
  for (var half = 0u; half < 16u; half++) {
    let at = placeInBlock(thread, half);
    let pixel = pixels[at.x].w;
    let column = place.column + at.y;
    if (pixel < 0 || column >= d.columns) { continue; }
    storeQuad((partBegin + u32(pixel)) * d.columns + column, d.columns - column, tileQuad(half));
  }
}

fn leftDeep() -> bool { return true; }

fn leftPatch(row: u32, k: u32, kEnd: u32) -> mat4x4f {
  if (k >= kEnd) { return mat4x4f(); }
  let taps = tapsAt(k, kEnd);
  return transpose(mat4x4f(
    seen(pixels[row], taps), seen(pixels[row + 1u], taps), seen(pixels[row + 2u], taps), seen(pixels[row + 3u], taps),
  ));
}
