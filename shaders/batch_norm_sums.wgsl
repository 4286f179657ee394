// Sums that batch norm's gradients are made of, over the rows of [rows, channels], chunk by chunk: of g (the gradient of the
// bias) and of g times the distance from the mean.

struct Parameters { rows: u32, channels: u32, chunk: u32, chunks: u32 }

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> gradient: array<Element>;
@group(0) @binding(3) var<storage, read> mean: array<Element>;
@group(0) @binding(4) var<storage, read_write> sums: array<Element>;
@group(0) @binding(5) var<storage, read_write> products: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let width = p.channels / LANES;
  if (i >= p.chunks * width) { return; }
  let c = i % width;
  let begin = i / width * p.chunk;
  let end = min(begin + p.chunk, p.rows);
  let centre = mean[c];
  var at = begin * width + c;
  var sum = Element();
  var product = Element();
  for (var row = begin; row < end; row++) {
    let g = gradient[at];
    sum += g;
    product += g * (x[at] - centre);
    at += width;
  }
  sums[i] = sum;
  products[i] = product;
}
