// Filters [out, in, 3, 3] become [36, in, out]; turned by half a circle, as the input's gradient wants them, [36, out,
// in].
// From the kernel's signature: p, stored, squares.

var<private> square: u32;
var<private> first: u32;

fn locate(index: u32) -> bool {
  square = index;
  let straight = (index % p.outputs * p.inputs + index / p.outputs) * 9u;
  first = select(straight, index * 9u, p.turned == 1u);
  return index < p.inputs * p.outputs;
}

fn load(i: u32, j: u32) -> f32 {
  let tap = i * 3u + j;
  return stored[first + select(tap, 8u - tap, p.turned == 1u)];
}

fn store(i: u32, j: u32, value: f32) {
  squares[(i * RESULTS + j) * p.inputs * p.outputs + square] = value;
}
