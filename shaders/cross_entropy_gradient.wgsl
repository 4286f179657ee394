// Gradient of cross-entropy by the logits [rows, columns], one thread to a number: g (p_c - (1 - e) [c = y] - e / C).
// From the kernel's signature: p, logits, labels, notes, gradient, output.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let spread = p.smoothing / f32(p.columns);
  for (var i = threadIndex(id, groups); i < p.rows * p.columns; i += threadCount(groups)) {
    let row = i / p.columns;
    let probability = expOf(logits[i] - notes[2u * row] - notes[2u * row + 1u]);
    let hit = select(0.0, 1.0 - p.smoothing, i % p.columns == u32(labels[row]));
    output[i] = gradient[row] * (probability - hit - spread);
  }
}
