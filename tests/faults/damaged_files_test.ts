import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { Random } from "../../core/data/random.ts";
import { CHECKPOINT_FILE, readCheckpoint } from "../../core/distill/training/checkpoint.ts";
import { decomposeMatrix } from "../../core/mpo/decompose.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { readSafetensors, toFloat32, writeSafetensors } from "../../core/safetensors.ts";
import { builtins } from "../../plugins/builtins.ts";
import { withOutputFolder } from "../../tasks/experiment/output_folder.ts";
import { trainingRunner } from "../../tasks/experiment/runner.ts";
import { readChain, writeChain } from "../../tasks/support/chain_file.ts";
import { pseudoRandom } from "../support/numbers.ts";
import { recorder } from "../support/run_observers.ts";
import { runHere } from "../support/run_here.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

/** Turns each of some bits of a file, one at a time, and expects a sentence every time. */
async function refusedWithEachBitTurned(
  file: string,
  bits: Iterable<number>,
  read: (file: string) => Promise<unknown>,
): Promise<number> {
  const bytes = await Deno.readFile(file);
  let tried = 0;
  for (const bit of bits) {
    const byte = bit >> 3;
    await Deno.writeFile(file, bytes.with(byte, bytes[byte] ^ 1 << (bit & 7)));
    await assert.rejects(read(file), (error) => error instanceof UserError, `bit ${bit & 7} of byte ${byte}`);
    tried++;
  }
  await Deno.writeFile(file, bytes);
  await read(file);
  return tried;
}

/** All bits of a safetensors file's header, and some of its numbers, the same in every run. */
async function* someBits(file: string, numbers: number, headerEvery = 1): AsyncGenerator<number> {
  const bytes = await Deno.readFile(file);
  const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  for (let bit = 0; bit < 8 * headerEnd; bit += headerEvery) yield bit;
  const random = new Random(7);
  for (let i = 0; i < numbers; i++) yield 8 * headerEnd + random.below(8 * (bytes.length - headerEnd));
}

Deno.test("a checkpoint in which any bit has turned is refused with a sentence", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: ["train.epochs=1", "student.width=1", "student.overParameterise=[]"] });
    const file = join(folder, "run", CHECKPOINT_FILE);
    // A step that meets every bit of a byte in time, and every part of the header.
    const bits = await Array.fromAsync(someBits(file, 300, 61));
    assert.ok(await refusedWithEachBitTurned(file, bits, readCheckpoint) > 600);

    const bytes = await Deno.readFile(file);
    await Deno.writeFile(file, bytes.with(bytes.length - 2, bytes[bytes.length - 2] ^ 1));
    const recipe = join(folder, "run", "recipe.yaml");
    const { code, stderr } = await runHere("train", [recipe, "--out", join(folder, "run"), "--resume"]);
    assert.deepEqual([code, stderr], [
      2,
      `Cannot use the checkpoint "${file}" as it is damaged: its content is not that of its checksum; start anew ` +
      "without --resume\n",
    ]);
  }));

Deno.test("an older version's checkpoint, without a checksum, is resumed, and a line says so", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: ["train.epochs=1"] });
    const file = join(folder, "run", CHECKPOINT_FILE);
    const { tensors, metadata } = await readSafetensors(file);
    const { run: _run, ...position } = JSON.parse(metadata.position);
    const plain = [...tensors].map(([name, tensor]) =>
      [name, { shape: tensor.shape, data: toFloat32(tensor) }] as const
    );
    await writeSafetensors(file, new Map(plain), { position: JSON.stringify(position) });
    const { lines, reporter } = recorder();
    await tinyRun(folder, { overrides: ["train.epochs=1"], resume: true, reporter });
    assert.equal(
      lines[0],
      `"${file}" is of an older version and has no checksum: whether it is whole is not known`,
    );
    for (const damaged of ["", "{", "null", "[]", "{}", JSON.stringify({ ...position, step: -1 })]) {
      await writeSafetensors(file, new Map(plain), { position: damaged || " " });
      await assert.rejects(readCheckpoint(file), {
        name: "UserError",
        message: /^Cannot use the checkpoint ".*" as it is damaged: .* is not readable; start anew without --resume$/,
      });
    }
  }));

Deno.test("a chain in which any bit has turned is refused with a sentence", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "chain.safetensors");
  const { chain } = await decomposeMatrix(pseudoRandom(1, 36), 6, 6, { rows: [3, 2], cols: [3, 2] });
  await writeChain(file, { tensor: "fc.weight", shape: [6, 6], chain }, "balanced");
  await refusedWithEachBitTurned(file, await Array.fromAsync(someBits(file, 200)), readChain);
  const { tensors } = await readSafetensors(file);
  const cores = [...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }] as const);
  for (const damaged of ["{", "[]", "{}", '{"tensor":"a","shape":[6,6],"rows":[3,2],"cols":"x"}']) {
    await writeSafetensors(file, new Map(cores), { format: "opdf-chain", chain: damaged });
    await assert.rejects(readChain(file), {
      name: "UserError",
      message: /^Cannot read the chain ".*" as it is damaged: .*; decompose the matrix again$/,
    });
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("damaged files of an experiment are sentences that name the file and what helps", () =>
  withTinyData(async (folder) => {
    const output = join(folder, "run");
    const recipe = () =>
      parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
        overrides: ["backend=cpu", "train.epochs=1", { path: ["output"], value: output, label: "test" }],
      });
    const { reporter } = recorder();
    const runner = trainingRunner(builtins, { ...reporter, end: () => {} }, new AbortController().signal);
    await runner(recipe(), "tiny");
    const cases: [name: string, what: string][] = [
      ["metrics.json", "the summary"],
      ["inputs.json", "the record of a run's inputs"],
      ["recipe.yaml", "the run's recipe"],
    ];
    for (const [name, what] of cases) {
      const file = join(output, name);
      const text = await Deno.readTextFile(file);
      const turned = text.replace(/[0-9a-f]{8}/, (digits) => digits.replace(/./, (one) => one === "1" ? "2" : "1"));
      const all = [text.slice(0, text.length / 2), "", "[]", "{}", "null", "\0\0\0"];
      // A recipe with another digit is another recipe.
      for (const damaged of name === "recipe.yaml" ? all : [...all, turned]) {
        if (name === "inputs.json" && damaged === "{}") continue; // of a run that reads nothing
        await Deno.writeTextFile(file, damaged);
        await assert.rejects(runner(recipe(), "tiny"), (error: Error) => {
          assert.ok(error instanceof UserError, `${name}: ${damaged}: ${error}`);
          const start = `Cannot read ${what} "${file}" as it is damaged: `;
          assert.ok(error.message.startsWith(start) && error.message.endsWith("is done anew"), error.message);
          return true;
        });
      }
      await Deno.writeTextFile(file, text);
    }
    assert.ok("summary" in await runner(recipe(), "tiny"));

    const mark = join(folder, "experiment", "experiment.json");
    await withOutputFolder(join(folder, "experiment"), "mine", () => Promise.resolve());
    await Deno.writeTextFile(mark, '{"experi');
    await assert.rejects(withOutputFolder(join(folder, "experiment"), "mine", () => Promise.resolve()), {
      name: "UserError",
      message: `Cannot read the experiment's name "${mark}" as it is damaged: it is not JSON; write ` +
        '{"experiment": "mine"} to it if the folder is that experiment\'s',
    });
  }));
