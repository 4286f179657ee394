/**
 * Counts the dispatches of a training step of recipes, and the bytes that they read and write, by kernel: what
 * core/backend/HARDWARE.md tells.
 *
 * `deno run -A tasks/bench/dispatches.ts webgpu tasks/recipes/quickstart.yaml tasks/recipes/vit.yaml`
 *
 * `--f16` trains with `train.precision: f16`; `--hardware` launches as a hardware adapter does.
 */
import "../../core/deno/install.ts";
import { hardwareKind } from "../../core/backend/adapter_kinds.ts";
import type { Backend } from "../../core/backend/backend.ts";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { bytesOf } from "../../core/backend/format.ts";
import { findAdapter } from "../../core/backend/webgpu/adapter.ts";
import { WebGpuBackend } from "../../core/backend/webgpu/webgpu_backend.ts";
import type { Call } from "../../core/backend/program.ts";
import { Run } from "../../core/distill/run.ts";
import { readRecipe } from "../../core/recipe/recipe.ts";
import { builtins } from "../../plugins/builtins.ts";

/** Steps before the one that is counted: by then it is a replay. */
const STEPS_BEFORE = 5;

/** How often a kernel is enqueued, and the bytes of all that it binds, each binding once. */
interface Count {
  calls: number;
  bytes: number;
}

/** Counts what is enqueued from now on, by kernel, in a program or by itself; copies count too. */
function counting(backend: Backend): Map<string, Count> {
  const counts = new Map<string, Count>();
  const count = (call: Call) => {
    const [name, views] = "kernel" in call
      ? [call.kernel.name, Object.values(call.views)]
      : ["(copy)", [call.source, call.target]];
    const { calls, bytes } = counts.get(name) ?? { calls: 0, bytes: 0 };
    counts.set(name, { calls: calls + 1, bytes: bytes + views.reduce((sum, view) => sum + bytesOf(view), 0) });
  };
  const [run, copy, compile] = [backend.run.bind(backend), backend.copy.bind(backend), backend.compile.bind(backend)];
  backend.run = (kernel, views, parameters) => {
    count({ kernel, views, parameters });
    run(kernel, views, parameters);
  };
  backend.copy = (source, target) => {
    count({ source, target });
    copy(source, target);
  };
  backend.compile = (calls: readonly Call[]) => {
    const program = compile(calls);
    const runProgram = program.run.bind(program);
    program.run = () => {
      calls.forEach(count);
      runProgram();
    };
    return program;
  };
  return counts;
}

async function open(name: string, { f16, hardware }: Flags): Promise<Backend> {
  if (name !== "webgpu") return await CpuBackend.create();
  return await WebGpuBackend.create((await findAdapter())!, { f16, traits: hardware ? hardwareKind : {} });
}

/** How a step is computed. */
interface Flags {
  readonly f16: boolean;
  readonly hardware: boolean;
}

async function countStep(name: string, flags: Flags, file: string, output: string): Promise<string> {
  const backend = await open(name, flags);
  await using _closed = { [Symbol.asyncDispose]: () => backend.close() };
  const counts = counting(backend);
  const label = "the count";
  const overrides = [
    { path: ["output"], value: output, label },
    { path: ["train", "logEvery"], value: 1000, label },
    { path: ["train", "precision"], value: flags.f16 ? "f16" : "f32", label },
    // So that the most memory is a step's.
    { path: ["evaluate", "batchSize"], value: 32, label },
  ];
  using run = await Run.open(await readRecipe(file, { overrides }), { backend, builtins });
  for (let step = 0; step < STEPS_BEFORE; step++) await run.step();
  counts.clear();
  const before = backend.work().dispatches;
  await run.step();
  const dispatches = backend.work().dispatches - before;
  const inMegabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const rows = [...counts].sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([kernel, { calls, bytes }]) => `${calls} ${kernel} (${inMegabytes(bytes)})`);
  const bytes = [...counts.values()].reduce((sum, count) => sum + count.bytes, 0);
  return `${file}: ${dispatches} dispatches, ${inMegabytes(bytes)} bound, ${
    inMegabytes(backend.memory().peakBytes)
  } at ` +
    `most in use: ${rows.join(", ")}`;
}

if (import.meta.main) {
  const [name, ...files] = Deno.args.filter((argument) => !argument.startsWith("--"));
  const flags = { f16: Deno.args.includes("--f16"), hardware: Deno.args.includes("--hardware") };
  const output = await Deno.makeTempDir();
  try {
    for (const file of files) console.log(await countStep(name, flags, file, output));
  } finally {
    await Deno.remove(output, { recursive: true });
  }
}
