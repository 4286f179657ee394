// The factor that brings a gradient's norm down to a bound: min(1, bound / sqrt(sum of squares)). One thread.
// Written so that a norm that is NaN gives NaN.

struct Parameters { bound: f32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> squaredNorm: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(1)
fn main() {
  let norm = sqrt(squaredNorm[0]);
  output[0] = select(p.bound / norm, 1.0, norm <= p.bound);
}
