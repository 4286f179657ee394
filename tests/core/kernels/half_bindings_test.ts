import assert from "node:assert/strict";
import { hardwareKind, softwareKind } from "../../../core/backend/adapter_kinds.ts";
import type { WebGpuBackend } from "../../../core/backend/webgpu/webgpu_backend.ts";
import { withHalfBindings } from "../../../core/kernels/half_bindings.ts";
import { defineKernel, kernels } from "../../../core/kernels/kernel.ts";
import { createOps } from "../../../core/ops/ops.ts";
import "../../../mod.ts";
import { halves, testBackends } from "../../support/backends.ts";

const adapters = [softwareKind, hardwareKind].map((kind) => ({
  ...kind,
  maxWorkgroupInvocations: 256,
  maxWorkgroupStorageBytes: 16384,
  maxWorkgroupsPerDimension: 65535,
}));

Deno.test("elements of float16 are converted where they are read and written, and nothing else is", () => {
  const convert = (text: string) => withHalfBindings(text, new Map([["x", 1], ["v", 4]]));
  const known: [string, string][] = [
    ["let a = x[i] + y[x[j]];", "let a = f32(x[i]) + y[f32(x[j])];"],
    ["let a = v[i + u32(x[2])][3];", "let a = vec4f(v[i + u32(f32(x[2]))])[3];"],
    ["x[i] = x[j];", "x[i] = toHalf1(f32(x[j]));"],
    ["v[i / 4u] = select(a, b, c == d);", "v[i / 4u] = toHalf4(select(a, b, c == d));"],
    ["x[i] -= a - b;", "x[i] = toHalf1(f32(x[i]) - (a - b));"],
    ["if (x[i] == 0.0) { return; }", "if (f32(x[i]) == 0.0) { return; }"],
    ["place.x[i] + xx[i] + x.y;", "place.x[i] + xx[i] + x.y;"],
    ["a; // x[i] = 1;", "a; "],
  ];
  for (const [text, converted] of known) assert.equal(convert(text), converted);
  assert.equal(
    convert("fn f(x: vec4f) -> f32 { return x[0]; }\nfn g() { y = x[0]; }"),
    "fn f(x: vec4f) -> f32 { return x[0]; }\nfn g() { y = f32(x[0]); }",
  );
  for (const text of ["v[i].x = 1.0;", "v[i][2] += 1.0;"]) {
    assert.throws(() => convert(text), { message: 'Cannot write a part of an element of float16, "v"' });
  }
});

testBackends("every kernel's shader compiles with all of its tensors in float16", async (backend) => {
  const { gpu } = backend as WebGpuBackend;
  const refused: string[] = [];
  for (const kernel of kernels().values()) {
    const tensors = [...Object.keys(kernel.reads), ...Object.keys(kernel.writes)];
    const seen = new Set<string>();
    for (const extent of [1, 4, 5000]) {
      const p = Object.fromEntries(Object.keys(kernel.parameters).map((name) => [name, name === "parts" ? 1 : extent]));
      for (const parameters of [p, { ...p, ..."bColumn" in p && { bColumn: 1 } }]) {
        for (const adapter of adapters) {
          let code: string;
          try {
            ({ code } = kernel.launch(parameters, adapter, tensors));
          } catch (error) {
            refused.push(`${kernel.name}: ${(error as Error).message}`);
            continue;
          }
          if (seen.has(code)) continue;
          seen.add(code);
          gpu.pushErrorScope("validation");
          gpu.createShaderModule({ code });
          const error = await gpu.popErrorScope();
          if (error) refused.push(`${kernel.name}: ${error.message}`);
        }
      }
    }
  }
  assert.deepEqual(refused, []);
}, [halves[0]]);

const copyKernel = (lanes: 1 | 4) =>
  defineKernel({
    name: `half bindings test, ${lanes}`,
    reads: { input: "Element" },
    writes: { output: "Element" },
    parameters: { size: "u32" },
    launch: () => ({
      shader:
        "@compute @workgroup_size(1) fn main() { for (var i = 0u; i < p.size / LANES; i++) { output[i] = input[i]; } }",
      lanes,
      workgroups: [1, 1, 1],
    }),
    cpu: () => {},
  });

testBackends("what is beyond 65504 becomes infinity, and what is no number stays none", async (backend) => {
  const ops = createOps(backend);
  const numbers = [
    1.5,
    65504,
    65519,
    65520,
    1e9,
    -65504,
    -65521,
    -3e38,
    NaN,
    Infinity,
    -Infinity,
    6e-8,
    -0,
    1 / 3,
    0,
    2,
  ];
  const expected = [1.5, 65504, 65504, Infinity, Infinity, -65504, -Infinity, -Infinity, NaN, Infinity, -Infinity];
  for (const lanes of [1, 4] as const) {
    const kernel = copyKernel(lanes);
    const [input, half, output] = [ops.tensor(numbers), ops.device.empty([16], "f16"), ops.device.empty([16])];
    ops.device.run(kernel, { input, output: half }, { size: 16 });
    ops.device.run(kernel, { input: half, output }, { size: 16 });
    const [read, converted] = await ops.read([half, output]);
    assert.deepEqual([...read].slice(0, 11), expected);
    assert.deepEqual([...converted], [...read], "reading from the host and from a kernel is the same");
    assert.deepEqual([...read].slice(11).map((x) => Math.fround(x)), [...new Float16Array(numbers.slice(11))]);
  }
}, [halves[0]]);
