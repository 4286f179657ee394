// What the pooling of channels-last images and its gradients share. The gradients gather: a thread per input element
// looks at all windows that it lies in, so no two threads write to one place.
// From the kernels' signatures: p.

// An element's image, row, column and channel.
struct Place { image: u32, y: u32, x: u32, channel: u32 }

fn placeOf(index: u32, height: u32, width: u32) -> Place {
  let pixel = index / p.channels;
  return Place(pixel / (width * height), pixel / width % height, pixel % width, index % p.channels);
}

// The input element that is the i-th of an output element's window, or -1 where that is padding.
fn inputOf(at: Place, i: u32) -> i32 {
  // Left of and above the image the subtraction wraps around to a large number.
  let row = at.y * p.stride + i / p.size - p.padding;
  let column = at.x * p.stride + i % p.size - p.padding;
  if (row >= p.height || column >= p.width) { return -1; }
  return i32(((at.image * p.height + row) * p.width + column) * p.channels + at.channel);
}

// The output element in whose window an input element is the i-th, or -1.
fn windowOf(at: Place, i: u32) -> i32 {
  let row = at.y + p.padding - i / p.size;
  let column = at.x + p.padding - i % p.size;
  let place = vec2u(row, column) / p.stride;
  if (any(place * p.stride != vec2u(row, column)) || place.x >= p.outHeight || place.y >= p.outWidth) { return -1; }
  return i32(((at.image * p.outHeight + place.x) * p.outWidth + place.y) * p.channels + at.channel);
}
