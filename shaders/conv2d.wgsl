// A convolution of channels-last images and the gradient with respect to its input (conv2d_direction.wgsl). Each thread
// computes eight pixels of a class by eight channels (tile.wgsl).
// From the kernels' signatures: p, filters [kernelHeight, kernelWidth, inputs, outputs], and under the names that stand
// for SOURCE and RESULT the images.

struct Pixels { y: vec4i, x: vec4i, image: vec4u }

// A pixel of a class's grid.
struct Place { x: u32, y: u32, image: u32 }

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  convolve(forwardDirection(), threadIndex(id, groups));
}

@compute @workgroup_size(64)
fn inputGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  convolve(inputDirection(), threadIndex(id, groups));
}

fn convolve(d: Direction, thread: u32) {
  let grid = (d.size + d.classes - 1u) / d.classes; // pixels of a class, along each axis
  let pixels = p.images * grid.x * grid.y;
  let across = (d.columns + 7u) / 8u;
  let down = (pixels + 7u) / 8u;
  let row = thread / across;
  let column = (thread - row * across) * 8u;
  let classIndex = row / down;
  let pixel = (row - classIndex * down) * 8u;
  if (classIndex >= d.classes * d.classes) { return; }
  let corner = vec2u(classIndex % d.classes, classIndex / d.classes); // the class's first pixel
  let firstTap = (corner + p.padding) % d.classes;

  // Software adapters divide integers lane by lane, so only the first of eight pixels is found by division.
  let line = pixel / grid.x;
  let image = line / grid.y;
  let first = Place(pixel - line * grid.x, line - image * grid.y, image);
  var place = first;
  let shift = (vec2i(corner) + d.shift) / i32(d.classes);
  let low = fourPixels(d, &place, pixel, pixels, grid, shift);
  let high = fourPixels(d, &place, pixel + 4u, pixels, grid, shift);
  let columns = eight(column, d.columns - 1u);
  let columnsLow = columns.low * d.filterColumn;
  let columnsHigh = columns.high * d.filterColumn;
  var dy = 0;
  for (var tapY = firstTap.y; tapY < p.kernelHeight; tapY += d.classes) {
    var dx = 0;
    for (var tapX = firstTap.x; tapX < p.kernelWidth; tapX += d.classes) {
      let seenLow = inside(d, low, dy, dx);
      let seenHigh = inside(d, high, dy, dx);
      var atLow = select(vec4u(), offsetsOf(d, low, dy, dx), seenLow);
      var atHigh = select(vec4u(), offsetsOf(d, high, dy, dx), seenHigh);
      var filterAt = (tapY * p.kernelWidth + tapX) * p.inputs * p.outputs;
      for (var k = 0u; k < d.depth; k++) {
        let aLow = vec4f(SOURCE[atLow.x], SOURCE[atLow.y], SOURCE[atLow.z], SOURCE[atLow.w]);
        let aHigh = vec4f(SOURCE[atHigh.x], SOURCE[atHigh.y], SOURCE[atHigh.z], SOURCE[atHigh.w]);
        accumulate(
          mat2x4f(select(vec4f(), aLow, seenLow), select(vec4f(), aHigh, seenHigh)),
          mat2x4f(loadQuad(filterAt, columnsLow), loadQuad(filterAt, columnsHigh)),
        );
        atLow += 1u;
        atHigh += 1u;
        filterAt += d.filterRow;
      }
      dx += d.step;
    }
    dy += d.step;
  }

  // Sixteen rounds are too many for compilers to unroll, and they are slowest at stores.
  let halves = 2u * min(pixels - pixel, 8u);
  place = first;
  for (var half = 0u; half < halves; half++) {
    let channel = column + half % 2u * 4u;
    let at = vec2u(place.x, place.y) * d.classes + corner;
    let offset = ((place.image * d.size.y + at.y) * d.size.x + at.x) * d.columns + channel;
    if (half % 2u == 1u) { place = after(place, grid); }
    if (channel >= d.columns || any(at >= d.size)) { continue; }
    storeQuad(offset, d.columns - channel, tileQuad(half));
  }
}

fn after(place: Place, grid: vec2u) -> Place {
  let x = place.x + 1u;
  let y = place.y + select(0u, 1u, x == grid.x);
  let image = place.image + select(0u, 1u, y == grid.y);
  return Place(select(x, 0u, x == grid.x), select(y, 0u, y == grid.y), image);
}

// The source pixels that four pixels of the result, from `place` on, see with their first tap, which may lie outside;
// past the last pixel, that one again. Leaves `place` behind them.
fn fourPixels(d: Direction, place: ptr<function, Place>, pixel: u32, pixels: u32, grid: vec2u, shift: vec2i) -> Pixels {
  let a = *place;
  let b = following(a, pixel + 1u, pixels, grid);
  let c = following(b, pixel + 2u, pixels, grid);
  let e = following(c, pixel + 3u, pixels, grid);
  *place = following(e, pixel + 4u, pixels, grid);
  return Pixels(
    vec4i(vec4u(a.y, b.y, c.y, e.y)) * d.scale + shift.y,
    vec4i(vec4u(a.x, b.x, c.x, e.x)) * d.scale + shift.x,
    vec4u(a.image, b.image, c.image, e.image),
  );
}

// The place of `pixel` from the one before it.
fn following(place: Place, pixel: u32, pixels: u32, grid: vec2u) -> Place {
  if (pixel >= pixels) { return place; }
  return after(place, grid);
}

fn inside(d: Direction, at: Pixels, dy: i32, dx: i32) -> vec4<bool> {
  return (vec4u(at.y + dy) < vec4u(d.sourceSize.y)) & (vec4u(at.x + dx) < vec4u(d.sourceSize.x));
}

fn offsetsOf(d: Direction, at: Pixels, dy: i32, dx: i32) -> vec4u {
  return ((at.image * d.sourceSize.y + vec4u(at.y + dy)) * d.sourceSize.x + vec4u(at.x + dx)) * d.depth;
}
