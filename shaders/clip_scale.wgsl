// The factor that brings a gradient's norm down to a bound: min(1, bound / sqrt(sum of squares)). One thread.
// Written so that a norm that is NaN gives NaN.
// From the kernel's signature: p, squaredNorm, output.

@compute @workgroup_size(1)
fn main() {
  let norm = sqrt(squaredNorm[0]);
  output[0] = select(p.bound / norm, 1.0, norm <= p.bound);
}
