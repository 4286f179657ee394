// [36, in, out] become the gradient of filters, [out, in, 3, 3].

struct Parameters { inputs: u32, outputs: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> squares: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;

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
