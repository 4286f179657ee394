import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { teach } from "../../../../core/distill/teach.ts";
import type { Shard } from "../../../../core/distill/teacher/cache_files.ts";
import { shardRange } from "../../../../core/distill/teacher/shards.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import { builtins } from "../../../../plugins/builtins.ts";
import { recorder, studentBytes } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

const taught = tinyRecipe.replace(
  "losses: [{ use: cross-entropy }]",
  `teacher: { use: resnet, depth: 8, width: 4, weights: one/student, cache: outputs }
losses: [{ use: kd }, { use: hidden-mse, pairs: [{ student: layer1, teacher: layer1 }] }]`,
);

async function teachTiny(
  folder: string,
  shard: Shard | null,
  overrides: readonly string[] = [],
  threads?: number,
): Promise<string[]> {
  const recipe = parseChecked(taught, join(folder, "tiny.yaml"), recipeSchema, { overrides: [...overrides] });
  const backend = await CpuBackend.create({ threads });
  const { lines, reporter } = recorder();
  try {
    await teach(recipe, { backend, builtins, shard, reporter });
    assert.equal(backend.memory().storages, 0);
  } finally {
    await backend.close();
  }
  return lines.filter(isOfOutputs);
}

const isOfOutputs = (line: string) => /^teacher: (outputs|part|the parts|".*" has parts)/.test(line);

async function withTeacher(body: (folder: string) => Promise<void>): Promise<void> {
  await withTinyData(async (folder) => {
    await tinyRun(folder, { output: "one", overrides: ["student.overParameterise=[]", "train.maxSteps=9"] });
    await body(folder);
  });
}

const filesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(join(folder, "outputs")))).map(({ name }) => name).sort();

/** A run by the parts: what it says of the teacher's outputs. */
async function run(folder: string, output: string, overrides: readonly string[] = []): Promise<string[]> {
  const { lines, reporter } = recorder();
  await tinyRun(folder, { text: taught, output, reporter, overrides: ["train.maxSteps=3", ...overrides] });
  return lines.filter(isOfOutputs);
}

Deno.test("a run by outputs that were computed in parts is the one by those of one file", () =>
  withTeacher(async (folder) => {
    await run(folder, "whole");
    const [file] = await filesIn(folder);
    await Deno.remove(join(folder, "outputs", file));
    const stem = file.slice(0, file.indexOf("."));
    for (const index of [2, 1, 3]) {
      const [said] = await teachTiny(folder, { index, of: 3 });
      const [begin, end] = [24 * index - 23, 24 * index];
      assert.match(
        said,
        new RegExp(`of the examples ${begin} to ${end} of 72, part ${index}/3, written to ".*", .* kB$`),
      );
    }
    assert.deepEqual(await filesIn(folder), [1, 2, 3].map((index) => `${stem}.${index}-of-3.safetensors`));
    assert.match((await teachTiny(folder, { index: 2, of: 3 }))[0], /^teacher: part 2\/3 is there already/);
    assert.deepEqual(await run(folder, "parts"), [
      `teacher: outputs read from 3 parts in "${join(folder, "outputs")}"`,
    ]);
    assert.deepEqual(await studentBytes(folder, "whole"), await studentBytes(folder, "parts"));
  }));

Deno.test("parts that are missing, damaged or of something else are named", () =>
  withTeacher(async (folder) => {
    for (const index of [1, 3]) await teachTiny(folder, { index, of: 4 });
    const first = (await filesIn(folder))[0];
    const path = join(folder, "outputs", first);
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.with(bytes.length - 2, bytes[bytes.length - 2] ^ 1));
    await assert.rejects(run(folder, "parts"), {
      name: "UserError",
      message:
        /tiny\.yaml:\d+:\d+: Cannot use the parts .* in ".*outputs", which lacks 2\/4, 4\/4, and has something else, or a damaged file, as 1\/4: /,
    });
    // Written anew where it is damaged.
    assert.match((await teachTiny(folder, { index: 1, of: 4 }))[0], /part 1\/4, written to/);
    assert.deepEqual(await Deno.readFile(path), bytes);
    // Another division of which all is there is the one that is taken.
    for (const index of [1, 2]) await teachTiny(folder, { index, of: 2 }, [], index);
    const [read, devices] = await run(folder, "parts");
    assert.match(read, /outputs read from 2 parts/);
    assert.match(
      devices,
      /^teacher: the parts were computed by .*, 1 thread; .*, 2 threads: their last digits may differ/,
    );
    const [stale] = await run(folder, "other", ["seed=9"]);
    assert.match(
      stale,
      /has parts of outputs \(teacher-[0-9a-f]{16}\.\*\) of another teacher, of other data, or .*: they are not used$/,
    );
  }));

Deno.test("a part under the name of another one, or of all, is not used", () =>
  withTeacher(async (folder) => {
    for (const index of [1, 2]) await teachTiny(folder, { index, of: 2 });
    const [first, second] = (await filesIn(folder)).map((name) => join(folder, "outputs", name));
    const [one, two] = [await Deno.readFile(first), await Deno.readFile(second)];
    const refused = (parts: string) => ({
      name: "UserError",
      message: new RegExp(`which has something else, or a damaged file, as ${parts}: make each by deno task teach`),
    });
    await Deno.writeFile(second, one);
    await assert.rejects(run(folder, "twice"), refused("2/2"));
    await Deno.writeFile(first, two);
    await assert.rejects(run(folder, "exchanged"), refused("1/2, 2/2"));
    for (const path of [first, second]) await Deno.remove(path);
    await Deno.writeFile(first.replace("1-of-2", "1-of-1"), one);
    await assert.rejects(run(folder, "one of one"), refused("1/1"));
    await Deno.writeFile(first.replace(".1-of-2", ""), one);
    await Deno.remove(first.replace("1-of-2", "1-of-1"));
    assert.match((await run(folder, "whole"))[0], /^teacher: outputs of 72 examples written to/);
  }));

Deno.test("what has no outputs to compute is refused", () =>
  withTeacher(async (folder) => {
    await assert.rejects(teachTiny(folder, { index: 73, of: 100 }), {
      name: "UserError",
      message: /Cannot divide 72 training examples into 100 parts$/,
    });
    await assert.rejects(teachTiny(folder, null, ["losses=[{ use: cross-entropy }]"]), {
      name: "UserError",
      message: /losses=.*: Cannot compute the teacher's outputs: no loss wants any that could be kept$/,
    });
  }));

Deno.test("parts cover all examples once, none empty, and differ by one at most", () => {
  for (const examples of [7, 16, 100]) {
    for (let of = 1; of <= Math.min(examples, 17); of++) {
      const ranges = Array.from({ length: of }, (_, at) => shardRange(examples, { index: at + 1, of }));
      assert.equal(ranges[0][0], 0);
      assert.equal(ranges.at(-1)![1], examples);
      const sizes = ranges.map(([begin, end], at) => {
        assert.equal(begin, at === 0 ? 0 : ranges[at - 1][1]);
        return end - begin;
      });
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1 && Math.min(...sizes) > 0);
    }
  }
});
