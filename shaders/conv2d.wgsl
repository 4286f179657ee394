// A convolution of channels-last images and the gradient with respect to its input: products A B whose left matrix, one
// row for each pixel of the result and one column for each tap and channel that it sees, is never written down. Each
// thread computes eight pixels of eight channels (tile.wgsl).
//
// With a stride, an input pixel is seen by every stride-th tap only, and which ones depends on the pixel's position
// modulo the stride. So the gradient's pixels are taken class by class, stride * stride of them, and a thread's eight
// pixels share their taps.

struct Parameters {
  images: u32,
  height: u32, width: u32, inputs: u32,
  outHeight: u32, outWidth: u32, outputs: u32,
  kernelHeight: u32, kernelWidth: u32,
  stride: u32, padding: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<Element>; // the filter, [kernelHeight, kernelWidth, inputs, outputs]
@group(0) @binding(3) var<storage, read_write> c: array<Element>;

// From [images, sourceSize.y, sourceSize.x, depth] to [images, size.y, size.x, columns].
struct Direction {
  sourceSize: vec2u, depth: u32,
  size: vec2u, columns: u32,
  // A pixel at y sees, with its class's first tap, the row (y * scale + shift) / classes, and with further ones the rows
  // a step away from each other.
  scale: i32, shift: i32, classes: u32, step: i32,
  filterRow: u32, filterColumn: u32,
}

struct Pixels { y: vec4i, x: vec4i, image: vec4u }

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let d = Direction(
    vec2u(p.width, p.height), p.inputs, vec2u(p.outWidth, p.outHeight), p.outputs,
    i32(p.stride), -i32(p.padding), 1u, 1, p.outputs, 1u,
  );
  convolve(d, id.x + id.y * groups.x * 64u);
}

@compute @workgroup_size(64)
fn inputGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let d = Direction(
    vec2u(p.outWidth, p.outHeight), p.outputs, vec2u(p.width, p.height), p.inputs,
    1, i32(p.padding), p.stride, -1, 1u, p.outputs,
  );
  convolve(d, id.x + id.y * groups.x * 64u);
}

fn convolve(d: Direction, thread: u32) {
  let grid = (d.size + d.classes - 1u) / d.classes; // pixels of a class, along each axis
  let pixels = p.images * grid.x * grid.y;
  let across = (d.columns + 7u) / 8u;
  let down = (pixels + 7u) / 8u;
  let column = thread % across * 8u;
  let pixel = thread / across % down * 8u;
  let classIndex = thread / (across * down);
  if (classIndex >= d.classes * d.classes) { return; }
  let corner = vec2u(classIndex % d.classes, classIndex / d.classes); // the class's first pixel
  let firstTap = (corner + p.padding) % d.classes;

  let eightPixels = eight(pixel, pixels - 1u);
  let low = pixelsAt(d, eightPixels.low, grid, corner);
  let high = pixelsAt(d, eightPixels.high, grid, corner);
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
        let aLow = vec4f(source[atLow.x], source[atLow.y], source[atLow.z], source[atLow.w]);
        let aHigh = vec4f(source[atHigh.x], source[atHigh.y], source[atHigh.z], source[atHigh.w]);
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
  for (var half = 0u; half < halves; half++) {
    let x = column + half % 2u * 4u;
    let at = pixel + half / 2u;
    let place = vec2u(at % grid.x, at / grid.x % grid.y) * d.classes + corner;
    if (x >= d.columns || any(place >= d.size)) { continue; }
    let image = at / (grid.x * grid.y);
    storeQuad(((image * d.size.y + place.y) * d.size.x + place.x) * d.columns + x, d.columns - x, tileQuad(half));
  }
}

// The source pixels that pixels of the result see with their first tap, which may lie outside.
fn pixelsAt(d: Direction, index: vec4u, grid: vec2u, corner: vec2u) -> Pixels {
  let x = vec4i(index % grid.x * d.classes + corner.x) * d.scale + d.shift;
  let y = vec4i(index / grid.x % grid.y * d.classes + corner.y) * d.scale + d.shift;
  return Pixels(y / i32(d.classes), x / i32(d.classes), index / (grid.x * grid.y));
}

fn inside(d: Direction, at: Pixels, dy: i32, dx: i32) -> vec4<bool> {
  return (vec4u(at.y + dy) < vec4u(d.sourceSize.y)) & (vec4u(at.x + dx) < vec4u(d.sourceSize.x));
}

fn offsetsOf(d: Direction, at: Pixels, dy: i32, dx: i32) -> vec4u {
  return ((at.image * d.sourceSize.y + vec4u(at.y + dy)) * d.sourceSize.x + vec4u(at.x + dx)) * d.depth;
}
