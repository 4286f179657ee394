// [36, in, out] become the gradient of filters, [out, in, 3, 3].
// From the kernel's signature: p, squares, gradient.

var<private> square: u32;

fn locate(index: u32) -> bool {
  square = index;
  return index < p.inputs * p.outputs;
}

fn load(i: u32, j: u32) -> f32 {
  return squares[(i * LINES + j) * p.inputs * p.outputs + square];
}

fn store(i: u32, j: u32, value: f32) {
  gradient[(square % p.outputs * p.inputs + square / p.outputs) * 9u + i * RESULTS + j] = value;
}
