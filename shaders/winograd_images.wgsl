// The reverse: [36, tiles, channels] become squares of 4 x 4 pixels, of which those outside of the image are dropped.
// From the kernel's signature: p, squares, images.

var<private> square: u32;
var<private> count: u32;
var<private> corner: vec2u;
var<private> first: u32;

fn locate(index: u32) -> bool {
  square = index;
  count = p.images * p.tilesDown * p.tilesAcross * p.channels;
  // As few divisions as there can be: software adapters do them lane by lane.
  let tile = index / p.channels;
  let line = tile / p.tilesAcross;
  let image = line / p.tilesDown;
  corner = vec2u(line - image * p.tilesDown, tile - line * p.tilesAcross) * 4u;
  first = image * p.height * p.width * p.channels + index - tile * p.channels;
  return index < count;
}

fn load(i: u32, j: u32) -> f32 {
  return squares[(i * LINES + j) * count + square];
}

fn store(i: u32, j: u32, value: f32) {
  let place = corner + vec2u(i, j);
  if (place.x >= p.height || place.y >= p.width) { return; }
  images[first + (place.x * p.width + place.y) * p.channels] = value;
}
