// One side of Winograd's convolution: every square S of a tensor becomes L S L^T, one thread to a square. L is written
// out in the code that stands in front of this: LINES and RESULTS are its columns and rows, addLine and resultLine work
// on the sums in registers. What stands behind it says which numbers a square is made of: locate, load, store.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (!locate(threadIndex(id, groups))) { return; }
  // Zero, which a compiler cannot know: unrolled, the loads and stores would take it five times as long.
  let none = groups.z - 1u;
  for (var i = 0u; i < LINES + none; i++) {
    var line: array<f32, LINES>;
    for (var j = 0u; j < LINES; j++) { line[j] = load(i, j); }
    addLine(i, line);
  }
  for (var i = 0u; i < RESULTS + none; i++) {
    let line = resultLine(i);
    for (var j = 0u; j < RESULTS; j++) { store(i, j, line[j]); }
  }
}
