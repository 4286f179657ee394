// Gradient of a divergence by one of its two sides, one thread to a number of [rows, columns].
// From the kernel's signature: p, reference, logits, notes, gradient, output; filled in: the side, 0 for the reference
// and 1 for the logits, and the derivative by a scaled logit, of its log-probability `own`, that of the other side, and
// the expectation.

fn logProbability(x: f32, note: u32) -> f32 { return p.factor * x - notes[note] - notes[note + 1u]; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = threadIndex(id, groups); i < p.rows * p.columns; i += threadCount(groups)) {
    let row = i / p.columns;
    let ofReference = logProbability(reference[i], 6u * row);
    let ofLogits = logProbability(logits[i], 6u * row + 3u);
    let own = select(ofReference, ofLogits, SIDE == 1u);
    let other = select(ofLogits, ofReference, SIDE == 1u);
    let expectation = notes[6u * row + 3u * SIDE + 2u];
    output[i] = gradient[row] * p.weight * p.factor * (SLOPE);
  }
}
