/**
 * Counts the dispatches of a training step of recipes, by kernel: what core/backend/HARDWARE.md tells.
 *
 * `deno run -A tasks/bench/dispatches.ts webgpu tasks/recipes/quickstart.yaml tasks/recipes/vit.yaml`
 */
import type { Backend } from "../../core/backend/backend.ts";
import { openBackend } from "../../core/backend/open_backend.ts";
import type { Call } from "../../core/backend/program.ts";
import { Run } from "../../core/distill/run.ts";
import { readRecipe } from "../../core/recipe/recipe.ts";
import { builtins } from "../../plugins/builtins.ts";

/** Steps before the one that is counted: by then it is a replay. */
const STEPS_BEFORE = 5;

/** How often each kernel is enqueued from now on, in a program or by itself; copies count too. */
function counting(backend: Backend): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const [run, copy, compile] = [backend.run.bind(backend), backend.copy.bind(backend), backend.compile.bind(backend)];
  backend.run = (kernel, views, parameters) => {
    count(kernel.name);
    run(kernel, views, parameters);
  };
  backend.copy = (source, target) => {
    count("(copy)");
    copy(source, target);
  };
  backend.compile = (calls: readonly Call[]) => {
    const program = compile(calls);
    const runProgram = program.run.bind(program);
    program.run = () => {
      for (const call of calls) count("kernel" in call ? call.kernel.name : "(copy)");
      runProgram();
    };
    return program;
  };
  return counts;
}

async function countStep(name: "webgpu" | "cpu", file: string, output: string): Promise<string> {
  const { backend } = await openBackend(name);
  await using _closed = { [Symbol.asyncDispose]: () => backend.close() };
  const counts = counting(backend);
  const overrides = [["output"], ["train", "logEvery"]].map((path, index) => ({
    path,
    value: [output, 1000][index],
    label: "the count",
  }));
  using run = await Run.open(await readRecipe(file, { overrides }), { backend, builtins });
  for (let step = 0; step < STEPS_BEFORE; step++) await run.step();
  counts.clear();
  const before = backend.work().dispatches;
  await run.step();
  const dispatches = backend.work().dispatches - before;
  const rows = [...counts].sort(([, a], [, b]) => b - a).map(([kernel, count]) => `${count} ${kernel}`);
  return `${file}: ${dispatches} dispatches: ${rows.join(", ")}`;
}

if (import.meta.main) {
  const [name, ...files] = Deno.args;
  const output = await Deno.makeTempDir();
  try {
    for (const file of files) console.log(await countStep(name as "webgpu" | "cpu", file, output));
  } finally {
    await Deno.remove(output, { recursive: true });
  }
}
