import assert from "node:assert/strict";
import { hardwareKind, softwareKind } from "../../../core/backend/adapter_kinds.ts";
import type { AdapterTraits, AnyKernel, Launch } from "../../../core/backend/kernel.ts";
import { PipelineCache } from "../../../core/backend/webgpu/pipelines.ts";
import type { WebGpuBackend } from "../../../core/backend/webgpu/webgpu_backend.ts";
import { defineKernel, kernels } from "../../../core/kernels/kernel.ts";
import "../../../mod.ts";
import { testBackends, webgpu } from "../../support/backends.ts";

/** Adapters on which kernels choose differently. */
const adapters: readonly AdapterTraits[] = [softwareKind, hardwareKind].map((kind) => ({
  ...kind,
  maxWorkgroupInvocations: 256,
  maxWorkgroupStorageBytes: 16384,
  maxWorkgroupsPerDimension: 65535,
}));

/**
 * Every module, and every set of constants, that a kernel can be launched with: extents of 1 ask for single numbers,
 * of 4 for vectors, large ones for large workgroups.
 */
function launchesOf(kernel: AnyKernel): Launch[] {
  const found = new Map<string, Launch>();
  for (const extent of [1, 4, 5000]) {
    // Sums in one part, as not every design cuts them.
    const parameters = Object.fromEntries(
      Object.keys(kernel.parameters).map((name) => [name, name === "parts" ? 1 : extent]),
    );
    // The stride along a matrix's rows is 1 where its columns lie side by side.
    for (const p of [parameters, { ...parameters, ..."bColumn" in parameters && { bColumn: 1 } }]) {
      for (const adapter of adapters) {
        const launch = kernel.launch(p, adapter);
        found.set(`${launch.entryPoint} ${JSON.stringify(launch.constants)} ${launch.code}`, launch);
      }
    }
  }
  return [...found.values()];
}

const modules = [...kernels().values()].flatMap((kernel) => launchesOf(kernel).map((launch) => ({ kernel, launch })));

Deno.test("a module's uniform struct and bindings are what its kernel's signature says", () => {
  assert.ok(modules.length > kernels().size, "some kernels have several");
  for (const { kernel, launch: { code } } of modules) {
    const [, members] = code.match(/^struct Parameters \{\n([^}]*)\}/m)!;
    assert.deepEqual(
      [...members.matchAll(/^ {2}(\w+): (\w+),$/gm)].map(([, name, type]) => [name, type]),
      Object.entries(kernel.parameters).map(([name, type]) => [name, type === "seed" ? "u32" : type]),
      kernel.name,
    );
    const bindings = [...code.matchAll(/@group\(0\) @binding\((\d+)\) var<([\w, ]+)> (\w+): ([\w<>]+);/g)];
    // A launch may say for each tensor of `Element` what it is.
    const types: Readonly<Record<string, string>> = { ...kernel.reads, ...kernel.writes };
    const declared = bindings.map(([, binding, space, name, type]) => [
      binding,
      space,
      name,
      types[name] === "Element" ? type.replace(/<(f32|vec4f)>/, "<Element>") : type,
    ]);
    assert.deepEqual(declared, [
      ["0", "uniform", "p", "Parameters"],
      ...[
        ...Object.entries(kernel.reads).map(([name, type]) => ["storage, read", name, `array<${type}>`]),
        ...Object.entries(kernel.writes).map(([name, type]) => ["storage, read_write", name, `array<${type}>`]),
      ].map((binding, index) => [`${index + 1}`, ...binding]),
    ], kernel.name);
    assert.equal(code.split("@binding").length - 1, bindings.length, `${kernel.name} binds something by itself`);
  }
});

/** What a shader computes with, without comments. */
const wordsOf = (code: string) => new Set(code.replaceAll(/\/\/.*/g, "").match(/[A-Za-z_]\w*/g));

Deno.test("what a signature names is used, and no name is one that WGSL reserves", () => {
  for (const { kernel, launch: { code } } of modules) {
    const body = wordsOf(code.slice(code.lastIndexOf("@group(0)")).replace(/^.*\n/, ""));
    const names = [...Object.keys(kernel.reads), ...Object.keys(kernel.writes)];
    assert.deepEqual(names.filter((name) => !body.has(name)), [], kernel.name);
    assert.deepEqual(RESERVED.filter((word) => body.has(word) || names.includes(word)), [], kernel.name);
    assert.deepEqual(RESERVED.filter((word) => word in kernel.parameters), [], kernel.name);
  }
});

testBackends("every module compiles, and fits the layout of its kernel's bind groups", async (backend) => {
  const { gpu } = backend as WebGpuBackend;
  const pipelines = new PipelineCache(gpu);
  for (const { kernel, launch } of modules) {
    gpu.pushErrorScope("validation");
    pipelines.get(kernel, launch);
    const error = await gpu.popErrorScope();
    assert.equal(error?.message, undefined, `${kernel.name}, ${launch.entryPoint}`);
  }
}, [webgpu]);

Deno.test("the elements of a kernel's tensors are as many numbers as its launch says", () => {
  const kernel = defineKernel({
    name: "signature test",
    reads: { x: "Element" },
    writes: { y: "f32", z: "Element" },
    parameters: { size: "u32" },
    launch: ({ size }) => ({ shader: "SHADER", lanes: ([{ x: 1, z: 4 }, 1, 4] as const)[size], workgroups: [1, 1, 1] }),
    cpu: () => {},
  });
  const [mixed, single, vectors] = [0, 1, 2].map((size) => kernel.launch({ size }, adapters[0]).code);
  assert.match(single, /alias Element = f32;\nconst LANES = 1u;[^]*SHADER$/);
  assert.match(vectors, /alias Element = vec4f;\nconst LANES = 4u;[^]*SHADER$/);
  assert.match(mixed, /x: array<f32>;[^]*y: array<f32>;[^]*z: array<vec4f>;[^]*SHADER$/);
  assert.doesNotMatch(mixed, /Element/);
  assert.equal(kernel.launch({ size: 2 }, adapters[1]).code, vectors, "the same text each time");
});

/** https://www.w3.org/TR/WGSL/#reserved-words, without those that no other language has. */
const RESERVED = [
  ..."Self abstract active alignas alignof as asm async attribute auto await become cast catch class".split(" "),
  ..."coherent common compile concept consteval constexpr constinit crate debugger decltype delete demote".split(" "),
  ..."do enum explicit export extends extern external fallthrough filter final finally friend from get goto".split(" "),
  ..."groupshared highp impl implements import inline instanceof interface layout lowp macro match mediump".split(" "),
  ..."meta mod module move mut mutable namespace new nil noexcept noinline null of operator package".split(" "),
  ..."packoffset partial pass patch precise precision premerge priv protected pub public readonly ref".split(" "),
  ..."regardless register require resource restrict self set shared sizeof smooth snorm static std".split(" "),
  ..."subroutine super target template this throw trait try type typedef typeid typename typeof union".split(" "),
  ..."unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield".split(" "),
];
