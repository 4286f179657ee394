// Squares of channels-last images, four pixels apart, zero where they reach over the edge, become [36, tiles,
// channels].
// From the kernel's signature: p, source, squares.

var<private> square: u32;
var<private> count: u32;
var<private> corner: vec2i;
var<private> first: u32; // the image's first number of this channel

fn locate(index: u32) -> bool {
  square = index;
  count = p.images * p.tilesDown * p.tilesAcross * p.channels;
  // As few divisions as there can be: software adapters do them lane by lane.
  let tile = index / p.channels;
  let line = tile / p.tilesAcross;
  let image = line / p.tilesDown;
  corner = vec2i(vec2u(line - image * p.tilesDown, tile - line * p.tilesAcross) * 4u) - i32(p.padding);
  first = image * p.height * p.width * p.channels + index - tile * p.channels;
  return index < count;
}

fn load(i: u32, j: u32) -> f32 {
  let place = vec2u(corner + vec2i(vec2u(i, j)));
  let inside = place.x < p.height && place.y < p.width;
  let at = first + (place.x * p.width + place.y) * p.channels;
  return select(0.0, source[select(0u, at, inside)], inside);
}

fn store(i: u32, j: u32, value: f32) {
  squares[(i * RESULTS + j) * count + square] = value;
}
