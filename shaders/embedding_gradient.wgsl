// The gradient of an embedding's table: each row is the sum of the gradients at the places where its number stands. A GPU
// has no atomic addition of floats, and its order would change from run to run: so the places of one number are linked
// to a list first, and one thread walks it for each column.

struct LinkParameters { count: u32 }
struct Parameters { count: u32, columns: u32 }

@group(0) @binding(0) var<uniform> link: LinkParameters;
@group(0) @binding(1) var<storage, read> indices: array<f32>;
@group(0) @binding(2) var<storage, read_write> first: array<f32>; // 1 where a number stands for the first time
@group(0) @binding(3) var<storage, read_write> next: array<f32>; // where it stands next; count: nowhere

@compute @workgroup_size(64)
fn occurrences(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= link.count) { return; }
  let index = indices[i];
  var before = i;
  while (before > 0u && indices[before - 1u] != index) { before--; }
  first[i] = select(0.0, 1.0, before == 0u);
  var after = i + 1u;
  while (after < link.count && indices[after] != index) { after++; }
  next[i] = f32(after);
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(2) var<storage, read> starts: array<f32>;
@group(0) @binding(3) var<storage, read> links: array<f32>;
@group(0) @binding(4) var<storage, read> gradient: array<f32>; // [count, columns]
@group(0) @binding(5) var<storage, read_write> table: array<f32>; // zeros before

@compute @workgroup_size(64)
fn scatter(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= p.count * p.columns) { return; }
  let place = i / p.columns;
  let c = i % p.columns;
  if (starts[place] == 0.0) { return; }
  var sum = 0.0;
  for (var at = place; at < p.count; at = u32(links[at])) { sum += gradient[at * p.columns + c]; }
  table[u32(indices[place]) * p.columns + c] = sum;
}
