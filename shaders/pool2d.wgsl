// Pooling of channels-last images and its gradients. The gradients gather: a thread per input element looks at all
// windows that it lies in, so no two threads write to one place.

struct Parameters {
  images: u32,
  height: u32, width: u32, channels: u32,
  outHeight: u32, outWidth: u32,
  size: u32, stride: u32, padding: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;

// An element's image, row, column and channel.
struct Place { image: u32, y: u32, x: u32, channel: u32 }

fn placeOf(index: u32, height: u32, width: u32) -> Place {
  let pixel = index / p.channels;
  return Place(pixel / (width * height), pixel / width % height, pixel % width, index % p.channels);
}

fn inputAt(at: Place, y: u32, x: u32) -> u32 {
  return ((at.image * p.height + y) * p.width + x) * p.channels + at.channel;
}

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> taps: array<f32>; // the place of the maximum in its window

@compute @workgroup_size(64)
fn maximum(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= p.images * p.outHeight * p.outWidth * p.channels) { return; }
  let at = placeOf(index, p.outHeight, p.outWidth);
  var best = 0.0;
  var tap = p.size * p.size;
  for (var i = 0u; i < p.size * p.size; i++) {
    // Left of and above the image the subtraction wraps around to a large number.
    let row = at.y * p.stride + i / p.size - p.padding;
    let column = at.x * p.stride + i % p.size - p.padding;
    if (row >= p.height || column >= p.width) { continue; }
    let value = x[inputAt(at, row, column)];
    if (tap == p.size * p.size || value > best) {
      best = value;
      tap = i;
    }
  }
  y[index] = best;
  taps[index] = f32(tap);
}

@compute @workgroup_size(64)
fn average(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= p.images * p.outHeight * p.outWidth * p.channels) { return; }
  let at = placeOf(index, p.outHeight, p.outWidth);
  var sum = 0.0;
  for (var i = 0u; i < p.size * p.size; i++) {
    let row = at.y * p.stride + i / p.size - p.padding;
    let column = at.x * p.stride + i % p.size - p.padding;
    if (row < p.height && column < p.width) { sum += x[inputAt(at, row, column)]; }
  }
  y[index] = sum / f32(p.size * p.size);
}

@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> maxima: array<f32>;
@group(0) @binding(3) var<storage, read_write> maximumDx: array<f32>;
@group(0) @binding(2) var<storage, read_write> averageDx: array<f32>;

@compute @workgroup_size(64)
fn maximumGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= p.images * p.height * p.width * p.channels) { return; }
  let at = placeOf(index, p.height, p.width);
  var sum = 0.0;
  for (var i = 0u; i < p.size * p.size; i++) {
    let window = windowOf(at, i);
    if (window >= 0 && maxima[window] == f32(i)) { sum += gradient[window]; }
  }
  maximumDx[index] = sum;
}

@compute @workgroup_size(64)
fn averageGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= p.images * p.height * p.width * p.channels) { return; }
  let at = placeOf(index, p.height, p.width);
  var sum = 0.0;
  for (var i = 0u; i < p.size * p.size; i++) {
    let window = windowOf(at, i);
    if (window >= 0) { sum += gradient[window]; }
  }
  averageDx[index] = sum / f32(p.size * p.size);
}

// The output element in whose window an input element is the i-th, or -1.
fn windowOf(at: Place, i: u32) -> i32 {
  let row = at.y + p.padding - i / p.size;
  let column = at.x + p.padding - i % p.size;
  let place = vec2u(row, column) / p.stride;
  if (any(place * p.stride != vec2u(row, column)) || place.x >= p.outHeight || place.y >= p.outWidth) { return -1; }
  return i32(((at.image * p.outHeight + place.x) * p.outWidth + place.y) * p.channels + at.channel);
}
