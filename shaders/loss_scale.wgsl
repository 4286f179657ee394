// Dynamic loss scaling after a backward pass (Micikevicius et al. 2018, arXiv 1710.03740): what brings scaled gradients
// back, with their norm below a bound, and the scale of the next pass. One thread.
// From the kernel's signature: p (a bound of 0 is none), squaredNorm [1] of the scaled gradients, state [3]: the scale,
// finite steps since it last changed, steps skipped; gradientScale [2]: the factor, negative where the step is to be
// skipped, and the steps skipped.

@compute @workgroup_size(1)
fn main() {
  let scale = state[0];
  // By its bits: WGSL lets a compiler assume that all numbers are finite.
  let finite = (bitcast<u32>(squaredNorm[0]) & 0x7f800000u) != 0x7f800000u;
  if (finite && scale >= 1.0) {
    let norm = sqrt(squaredNorm[0]) / scale;
    let bounded = p.bound > 0.0 && norm > p.bound;
    gradientScale[0] = select(1.0, p.bound / norm, bounded) / scale;
    let count = state[1] + 1.0;
    let grows = count >= p.interval;
    state[0] = select(scale, min(scale * 2.0, p.most), grows);
    state[1] = select(count, 0.0, grows);
  } else {
    gradientScale[0] = -1.0;
    state[0] = scale / 2.0;
    state[1] = 0.0;
    state[2] += 1.0;
  }
  gradientScale[1] = state[2];
}
