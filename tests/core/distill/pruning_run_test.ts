import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import { mergeCheckpoint } from "../../../core/distill/merge_checkpoint.ts";
import { Interrupted } from "../../../core/distill/stops.ts";
import { CHECKPOINT_FILE, readCheckpoint } from "../../../core/distill/training/checkpoint.ts";
import { readRecipe } from "../../../core/recipe/recipe.ts";
import { readSafetensors, toFloat32 } from "../../../core/safetensors.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { openModel } from "../../../plugins/open_model.ts";
import { recorder, stopAt, studentBytes } from "../../support/run_observers.ts";
import { type TinyOptions, tinyRun, withTinyData } from "../../support/tiny_run.ts";

const PLAIN = "student.overParameterise=[]";
const SHORT = "train.epochs=2";

/** A short run with `student.prune`. */
const pruned = (folder: string, prune: string, { overrides = [], ...more }: TinyOptions = {}) =>
  tinyRun(folder, { ...more, overrides: [SHORT, `student.prune=${prune}`, ...overrides] });

/** The exported student's tensors. */
async function exported(folder: string, run = "run") {
  const { tensors } = await readSafetensors(join(folder, run, "student", "model.safetensors"));
  return new Map([...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, values: toFloat32(tensor) }]));
}

const zerosIn = (values: Float32Array) => values.reduce((count, value) => count + +(value === 0), 0);

Deno.test("pruning nothing changes no bit of a run, with chains and without", () =>
  withTinyData(async (folder) => {
    for (const chains of [[PLAIN], []]) {
      const once = [...chains, "train.epochs=1"];
      await tinyRun(folder, { output: "plain", overrides: once });
      for (const prune of ["{ amount: 0 }", "{ structure: channels, amount: 0 }"]) {
        await pruned(folder, prune, { output: "pruned", overrides: once });
        assert.deepEqual(await studentBytes(folder, "pruned"), await studentBytes(folder, "plain"), prune);
      }
    }
  }));

Deno.test("so many weights are zero in the end as is asked, and are so in what is written of them", () =>
  withTinyData(async (folder) => {
    const parts = "layers: 'layer*.conv*'";
    for (
      const [prune, chains] of [
        [`{ amount: 0.7, ${parts} }`, false],
        [`{ amount: 0.7, ${parts} }`, true],
        [`{ amount: 0.5, scope: layer, method: random, ${parts} }`, false],
        [`{ amount: 0.7, method: movement, ${parts} }`, true],
      ] as const
    ) {
      const optimiser = "train.optimiser={ use: adamw, learningRate: 0.01, weightDecay: 0.1 }";
      const overrides = [optimiser, "train.epochs=1", ...chains ? [] : [PLAIN]];
      const { student, pruning } = await pruned(folder, prune, { overrides });
      const tensors = [...await exported(folder)].filter(([name]) => /^layer.*conv/.test(name));
      const all = tensors.reduce((sum, [, { values }]) => sum + values.length, 0);
      const zeros = tensors.reduce((sum, [, { values }]) => sum + zerosIn(values), 0);
      assert.equal(zeros, Math.round((/0\.7/.test(prune) ? 0.7 : 0.5) * all), prune);
      assert.equal(pruning!.nonZeros, student.parametersInference - zeros);
      for (const [name, { values }] of tensors) {
        assert.deepEqual(pruning!.weights[name], { numbers: values.length, nonZeros: values.length - zerosIn(values) });
      }
    }
    const { pruning } = await pruned(folder, "{ parameters: 1000 }", { overrides: [PLAIN] });
    assert.equal(pruning!.nonZeros, 1000);
    await pruned(folder, "{ structure: '2:4', layers: ['*', '!conv1*'] }", { overrides: [PLAIN] });
    for (const [name, { shape: [, inputs, ...places], values }] of await exported(folder)) {
      if (!/^(layer.*conv|fc.weight)/.test(name)) continue;
      const stride = places.reduce((product, extent) => product * extent, 1);
      values.forEach((_, index) => {
        const [input, place] = [Math.floor(index / stride) % inputs, index % stride];
        if (input % 4 > 0) return;
        const group = [0, 1, 2, 3].map((member) => values[index + member * stride]);
        assert.equal(group.filter((value) => value === 0).length, 2, `${name} ${index} ${place}`);
      });
    }
  }));

Deno.test("without all weights the student says the last layer's bias, whatever it sees", () =>
  withTinyData(async (folder) => {
    await pruned(folder, "{ amount: 1 }", { overrides: [PLAIN] });
    const tensors = await exported(folder);
    assert.equal(zerosIn(tensors.get("fc.weight")!.values), tensors.get("fc.weight")!.values.length);
    const backend = await CpuBackend.create();
    {
      using model = await openModel(join(folder, "run", "student"), { backend });
      const images = Uint8Array.from({ length: 3 * 64 }, (_, index) => index % 256);
      const { logits } = await model.predict({ images });
      const bias = [...tensors.get("fc.bias")!.values];
      assert.deepEqual(logits.map((row) => [...row]), [bias, bias, bias]);
      assert.notEqual(bias[0], bias[1], "it was trained");
    }
    await backend.close();
  }));

Deno.test("a pruned run that is stopped, resumed, unreplayed or merged is the same, bit for bit", () =>
  withTinyData(async (folder) => {
    const overrides = ["train.restoreBest=true", "student.dropout=0.2"];
    for (const [method, stops] of [["movement", [0, 5]], ["magnitude", [2]]] as const) {
      const prune = `{ amount: 0.6, method: ${method}, over: 0.7, layers: 'layer*.conv*' }`;
      await pruned(folder, prune, { overrides, output: "whole" });
      const whole = await studentBytes(folder, "whole");
      for (const stop of stops) {
        const parts = { overrides, output: "parts" };
        await assert.rejects(pruned(folder, prune, { ...parts, signal: stopAt(stop) }), Interrupted);
        await pruned(folder, prune, { ...parts, resume: true });
        assert.deepEqual(await studentBytes(folder, "parts"), whole, `${method}, stopped after ${stop}`);
      }
      await pruned(folder, prune, { overrides: [...overrides, "train.replay=false"], output: "unreplayed" });
      assert.deepEqual(await studentBytes(folder, "unreplayed"), whole, method);
      assert.deepEqual(await merged(folder, "whole"), whole, `${method}, merged`);
    }
  }));

async function merged(folder: string, run: string): Promise<Uint8Array> {
  const recipe = await readRecipe(join(folder, run, "recipe.yaml"));
  const backend = await CpuBackend.create();
  const out = join(folder, "merged");
  await mergeCheckpoint(recipe, join(folder, run, CHECKPOINT_FILE), out, { backend, builtins });
  assert.equal(backend.memory().storages, 0, "nothing is left on the device");
  await backend.close();
  return await Deno.readFile(join(out, "model.safetensors"));
}

Deno.test("the best epoch is one of those whose masks are final, and early stopping waits for them", () =>
  withTinyData(async (folder) => {
    const overrides = [
      "train.epochs=4",
      "train.restoreBest=true",
      "train.earlyStopping={ patience: 1, minDelta: 0.9 }",
      PLAIN,
    ];
    const { epochs, pruning, student } = await pruned(folder, "{ amount: 0.95, over: 0.7 }", { overrides });
    assert.equal(epochs, 4, "the third epoch is the first that counts");
    const { best } = await readCheckpoint(join(folder, "run", CHECKPOINT_FILE));
    assert.equal(best!.epoch, 3);
    assert.ok(pruning!.nonZeros < 0.2 * student.parametersInference);
  }));

Deno.test("without channels a student is smaller, in its files, too, and is read, resumed and merged as such", () =>
  withTinyData(async (folder) => {
    const prune = "{ structure: channels, amount: 0.5, scope: global }";
    const { lines, reporter } = recorder();
    const { student, pruning, studentBytes: bytes } = await pruned(folder, prune, { output: "whole", reporter });
    const whole = await studentBytes(folder, "whole");
    const before = await tinyRun(folder, { overrides: [SHORT], output: "plain" });
    assert.ok(student.parametersInference < before.student.parametersInference);
    assert.ok(bytes < before.studentBytes);
    assert.equal(Object.values(pruning!.widths).reduce((sum, [, after]) => sum + after, 0), 14);
    assert.ok(lines.some((line) => /^pruned channels in \d of 3 inner widths: [\d,]+ of [\d,]+ parameters/.test(line)));
    const inner = Object.values(pruning!.widths).map(([, after]) => after);
    const config = JSON.parse(await Deno.readTextFile(join(folder, "whole", "student", "config.json")));
    assert.deepEqual(config.inner, inner);
    const parts = { output: "parts" };
    await assert.rejects(pruned(folder, prune, { ...parts, signal: stopAt(3) }), Interrupted);
    await pruned(folder, prune, { ...parts, resume: true });
    assert.deepEqual(await studentBytes(folder, "parts"), whole);
    assert.deepEqual(await merged(folder, "whole"), whole);
    // It is what another run starts from, which need not say how wide it is.
    const again = await tinyRun(folder, {
      overrides: [SHORT, PLAIN, "student.weights=whole/student", "train.optimiser.learningRate=1e-30"],
      output: "again",
    });
    assert.equal(again.student.parametersInference, student.parametersInference);
  }));

Deno.test("a run is not resumed if other channels are left of what it starts from", () =>
  withTinyData(async (folder) => {
    for (const seed of [1, 2]) {
      await tinyRun(folder, { overrides: [PLAIN, "train.maxSteps=1", `seed=${seed}`], output: `start ${seed}` });
    }
    const put = (seed: number) =>
      Deno.copyFile(join(folder, `start ${seed}/student/model.safetensors`), join(folder, "start.safetensors"));
    const prune = "{ structure: channels, amount: 0.5, scope: global }";
    const start = { overrides: ["student.weights=start.safetensors", PLAIN] };
    await put(1);
    await assert.rejects(pruned(folder, prune, { ...start, signal: stopAt(1) }), Interrupted);
    await assert.rejects(pruned(folder, prune.replace("0.5", "0.4"), { ...start, resume: true }), {
      message: /as it was made by another recipe: student\.prune\.amount differs/,
    });
    await put(2);
    await assert.rejects(pruned(folder, prune, { ...start, resume: true }), {
      name: "UserError",
      message:
        /as what the student starts from has changed since: other channels are left of layer\d\.0\.conv1; start /,
    });
  }));

Deno.test("a pruned student is fine-tuned from its teacher by a loss that looks at the teacher", () =>
  withTinyData(async (folder) => {
    await tinyRun(folder, { overrides: [PLAIN], output: "teacher" });
    const overrides = [
      "teacher={ use: resnet, depth: 8, width: 4, weights: teacher/student }",
      "student.initialise={ from: teacher }",
      "losses=[{ use: cross-entropy }, { use: kd }]",
      "train.optimiser.learningRate=1e-30",
      PLAIN,
    ];
    await pruned(folder, "{ amount: 0.5, scope: layer, schedule: once }", { overrides });
    const [teacher, student] = [await exported(folder, "teacher"), await exported(folder)];
    for (const [name, { values, shape }] of student) {
      if (shape.length < 2) continue;
      const own = teacher.get(name)!.values;
      const kept = own.filter((_, index) => values[index] !== 0).map(Math.abs);
      const gone = own.filter((_, index) => values[index] === 0).map(Math.abs);
      assert.ok(Math.abs(gone.length - values.length / 2) <= 1, `${name}: ${gone.length} of ${values.length}`);
      assert.ok(Math.max(...gone) <= Math.min(...kept), `${name}: the smallest go`);
      values.forEach((value, index) => assert.ok(value === 0 || value === own[index], name));
    }
  }));

Deno.test("what cannot be pruned so is refused in one sentence, with its place", () =>
  withTinyData(async (folder) => {
    const refusals: [string, RegExp][] = [
      [
        "{ amount: 1.5 }",
        /Expected a number >= 0 and <= 1 or null for student\.prune\.amount: got 1\.5, but it is the part that goes/,
      ],
      ["{ structure: '4:2' }", /Expected unstructured, channels, or n:m with n below m .*: got "4:2"/],
      ["{ structure: '2:4', amount: 0.5 }", /Cannot use amount with the structure 2:4, which says what stays/],
      [
        "{ structure: '2:3' }",
        /Cannot take groups of 3 of the 1 inputs of conv1\.weight \[4, 1, 3, 3\] \(and \d more\)/,
      ],
      ["{}", /Expected one of amount and parameters: got neither/],
      ["{ amount: 0.1, parameters: 5 }", /Expected one of amount and parameters: got both/],
      [
        "{ parameters: 5 }",
        /Cannot leave 5 numbers of a student of [\d,]+: expected 171 to 5,023, as so many are in no weight that/,
      ],
      ["{ amount: 0.5, layers: [conv9.weight] }", /Nothing matches "conv9\.weight": the nearest of \d+ are /],
      ["{ amount: 0.5, method: movement, over: 0 }", /Cannot choose by movement before training has moved anything/],
      ["{ amount: 0.5, over: 0 }", /Cannot take weights away step by step in no steps/],
      ["{ amount: 1, structure: channels }", /Cannot take all channels away: expected an amount below 1/],
      ["{ amount: 0.5, structure: channels, method: movement }", /Cannot choose channels by movement/],
      [
        "{ amount: 0.5, structure: channels, over: 0.5 }",
        /Cannot use over with channels that go before training: expected schedule: cubic/,
      ],
      [
        "{ amount: 0.5, structure: channels, schedule: cubic, over: 0 }",
        /Cannot take channels away step by step in no steps/,
      ],
      ["{ amount: 0.5, structure: channels, over: 0.5 }", /Cannot use over with channels/],
    ];
    for (const [prune, message] of refusals) {
      await assert.rejects(pruned(folder, prune), { name: "UserError", message }, prune);
    }
    const layers = "[{ use: conv, channels: 4, size: 3 }]";
    const cnn = `student={ use: cnn, layers: ${layers}, prune: { amount: 0.5, structure: channels } }`;
    await assert.rejects(tinyRun(folder, { overrides: [cnn] }), {
      name: "UserError",
      message: /Cannot take channels away from a model that does not say which of its widths may shrink: expected /,
    });
  }));

Deno.test("channels that go step by step are not in what is exported, and the run resumes and merges to the same", () =>
  withTinyData(async (folder) => {
    const parts = "structure: channels, schedule: cubic, over: 0.6";
    for (
      const [prune, chains] of [[`{ amount: 0.5, ${parts} }`, []], [`{ parameters: 9000, scope: global, ${parts} }`, [
        PLAIN,
      ]]] as const
    ) {
      const options = {
        overrides: [...chains, "student.width=8", "export={ onnx: true, manifest: true }"],
        record: true,
      };
      const { student, pruning, export: exports } = await pruned(folder, prune, { ...options, output: "whole" });
      const tensors = await exported(folder, "whole");
      const count = [...tensors].filter(([name]) => !/running|batches/.test(name)).reduce(
        (sum, [, { values }]) => sum + values.length,
        0,
      );
      assert.equal(student.parametersInference, count);
      const widths = Object.entries(pruning!.widths);
      assert.equal(widths.length, 3);
      for (const [name, [before, after]] of widths) {
        assert.deepEqual(tensors.get(`${name}.weight`)!.shape[0], after);
        assert.ok(after < before || chains.length > 0);
      }
      if (chains.length > 0) assert.ok(count <= 9000, `${count}`);
      else assert.ok(widths.every(([, [before, after]]) => 2 * after === before));
      assert.equal(exports!.onnx.length, 1);
      const whole = await studentBytes(folder, "whole");
      assert.deepEqual(await merged(folder, "whole"), whole);
      if (chains.length > 0) continue;
      const parts = { overrides: ["student.width=8"], output: "parts" };
      await assert.rejects(pruned(folder, prune, { ...parts, signal: stopAt(5) }), Interrupted);
      await pruned(folder, prune, { ...parts, resume: true });
      assert.deepEqual(await studentBytes(folder, "parts"), whole);
    }
  }));
