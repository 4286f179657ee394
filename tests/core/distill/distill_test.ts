import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors } from "../../../core/safetensors.ts";
import { backends } from "../../support/backends.ts";
import { metricsLog, recorder, studentBytes } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

Deno.test("a run trains chains, merges them, and ships exactly the plain student's tensors", async () => {
  await withTinyData(async (folder) => {
    const chained = await tinyRun(folder, { output: "chained" });
    const plain = await tinyRun(folder, { output: "plain", overrides: ["student.overParameterise=[]"] });
    assert.ok(chained.student.accuracy! > 0.9, `it learns: ${chained.student.accuracy}`);
    assert.ok(chained.student.parametersTraining > chained.student.parametersInference);
    assert.equal(chained.student.parametersInference, plain.student.parametersInference);
    assert.equal(plain.student.parameterIncreaseRate, 1);
    assert.ok(chained.merge.maxAbsLogitDifference < 1e-4, `${chained.merge.maxAbsLogitDifference}`);
    const shapes = async (run: string) =>
      [...(await readSafetensors(join(folder, run, "student", "model.safetensors"))).tensors]
        .map(([name, { shape, dtype }]) => `${name} ${dtype} ${shape}`);
    assert.deepEqual(await shapes("chained"), await shapes("plain"));
    assert.equal(JSON.parse(await Deno.readTextFile(join(folder, "chained", "metrics.json"))).seed, 3);
    const log = await metricsLog(folder, "chained");
    assert.ok(log.some(({ norms }) => norms?.["layer1.0.conv1.weight"] > 0));
    // The validation that training saw last is the one that the exported student is given at the end.
    const { validation } = log.findLast((line) => line.validation);
    assert.equal(validation.accuracy, chained.student.validationAccuracy);
  });
});

Deno.test("before the first step the over-parameterised student computes what the plain one does", async () => {
  await withTinyData(async (folder) => {
    // A rate of (almost) zero: what is exported are the initial weights after going through the chains.
    const still = ["train.optimiser.learningRate=1e-30", "train.optimiser.weightDecay=0", "train.epochs=1"];
    await tinyRun(folder, { output: "chained", overrides: still });
    await tinyRun(folder, { output: "plain", overrides: [...still, "student.overParameterise=[]"] });
    const load = async (run: string) =>
      (await readSafetensors(join(folder, run, "student", "model.safetensors"))).tensors;
    const [a, b] = [await load("chained"), await load("plain")];
    for (const [name, { bytes }] of a) {
      const [x, y] = [bytes, b.get(name)!.bytes].map((part) => new Float32Array(part.slice().buffer));
      x.forEach((value, i) => assert.ok(Math.abs(value - y[i]) < 1e-5, `${name}: ${value} and ${y[i]}`));
    }
  });
});

Deno.test("the same seed gives the same bytes, another seed others", async () => {
  await withTinyData(async (folder) => {
    const short = { overrides: ["train.maxSteps=3"] };
    await tinyRun(folder, { ...short, output: "a" });
    await tinyRun(folder, { ...short, output: "b" });
    await tinyRun(folder, { overrides: [...short.overrides, "seed=4"], output: "c" });
    assert.deepEqual(await studentBytes(folder, "a"), await studentBytes(folder, "b"));
    assert.notDeepEqual(await studentBytes(folder, "a"), await studentBytes(folder, "c"));
  });
});

Deno.test("logits, hidden states and tensors are distilled together, and L_Aux falls by more than 80 %", async () => {
  await withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["student.depth=14", "student.overParameterise=[]"] });
    const text = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 14, width: 4, weights: teacher/student }
losses:
  - { use: cross-entropy, weight: 0.1 }
  - { use: kd, weight: 0.9, temperature: { from: 6, to: 2 } }
  - { use: mse-logits, weight: 0.01 }
  - { use: hidden-mse, weight: 0.01, pairs: [{ student: conv1, teacher: conv1 }, { student: -1, teacher: -1 }] }
  - { use: tensor-alignment, weight: 100 }`,
    );
    const summary = await tinyRun(folder, { text, overrides: ["train.epochs=20", "train.clipGradientNorm=null"] });
    const log = (await metricsLog(folder)).filter(({ losses }) => losses);
    const [first, last] = [log[0].losses["tensor-alignment"], log.at(-1).losses["tensor-alignment"]];
    assert.ok(last < 0.2 * first, `L_Aux falls from ${first} to ${last}`);
    assert.ok(summary.teacher!.parameters > summary.student.parametersInference);
  });
});

Deno.test("weight decay reaches the cores, the merged matrix, or neither", async () => {
  await withTinyData(async (folder) => {
    const { reporter, warnings } = recorder();
    const norm = async (target: string, weightDecay: number | null = 0.5) => {
      const cores = [`train.cores.weightDecayTarget=${target}`, `train.cores.weightDecay=${weightDecay}`];
      const overrides = [...cores, "train.epochs=2"];
      const { norms } = await tinyRun(folder, { overrides, reporter });
      return norms["layer3.0.conv2.weight"];
    };
    const [cores, merged, none] = [await norm("cores"), await norm("merged"), await norm("none", null)];
    assert.ok(cores < none && merged < none, `cores ${cores}, merged ${merged}, none ${none}`);
    assert.equal(await norm("none"), none);
    assert.deepEqual(warnings, ["train.cores.weightDecay: 0.5 shrinks nothing, as weightDecayTarget is none"]);
  });
});

Deno.test("a student that merging changed gets no student folder", async () => {
  await withTinyData(async (folder) => {
    const overrides = ["train.maxSteps=2", "verify.tolerance=1e-30"];
    await assert.rejects(tinyRun(folder, { overrides }), {
      message: /^Merging changed the student: logits of up to .* differ by up to /,
    });
    await assert.rejects(Deno.stat(join(folder, "run", "student")), Deno.errors.NotFound);
  });
});

Deno.test("dropLast leaves out the smaller batch, and is refused where no whole one remains", async () => {
  await withTinyData(async (folder) => {
    // 72 examples: four batches of 16 and one of 8.
    const { steps } = await tinyRun(folder, { overrides: ["train.epochs=2", "train.dropLast=true"] });
    assert.equal(steps, 8);
    const overrides = ["train.dropLast=true", "train.batchSize=73"];
    await assert.rejects(tinyRun(folder, { overrides }), {
      message: /^--set train.batchSize=73: Cannot make one whole batch of 73 from 72 training examples/,
    });
  });
});

Deno.test("weights by URL are refused with what to do instead", async () => {
  await withTinyData(async (folder) => {
    await assert.rejects(tinyRun(folder, { overrides: ["student.weights=https://example.org/model"] }), {
      name: "UserError",
      message: /Cannot load weights from "https:\/\/example.org\/model": download the file and name its path$/,
    });
  });
});

Deno.test("a loss in a file is found, checked and used", async () => {
  await withTinyData(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "my_loss.js"),
      `export default {
        kind: "loss", name: "logit-penalty", description: "Small logits",
        options: ({ z }) => z.strictObject({ power: z.int().default(2) }),
        create: ({ power }) => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.mean(ops.square(student.logits)) }),
      };`,
    );
    const text = tinyRecipe.replace(
      "{ use: cross-entropy }",
      "{ use: cross-entropy }, { use: ./my_loss.js, weight: 0.1 }",
    );
    const summary = await tinyRun(folder, { text, overrides: ["train.maxSteps=5"] });
    assert.deepEqual(Object.keys(summary.losses), ["cross-entropy", "logit-penalty"]);
    const wrong = text.replace("weight: 0.1", "weight: 0.1, powr: 3");
    await assert.rejects(tinyRun(folder, { text: wrong }), {
      message: /tiny\.yaml:14:68: Unknown key "powr" in losses\[1\] \(use: .\/my_loss.js\): did you mean "power"\?$/,
    });
    await Deno.writeTextFile(
      join(folder, "empty_loss.js"),
      `export default { kind: "loss", name: "empty", options: ({ z }) => z.looseObject({}), create: () => ({}) };`,
    );
    await assert.rejects(tinyRun(folder, { text: text.replace("my_loss", "empty_loss") }), {
      name: "UserError",
      message: /Cannot use the loss "empty": its create must give \{ teacherOutputs/,
    });
    const missing = text.replace("./my_loss.js", "./other.js");
    await assert.rejects(tinyRun(folder, { text: missing }), { message: /Cannot load the loss plug-in ".\/other.js"/ });
  });
});

for (const backendCase of backends) {
  Deno.test({
    name: `a tiny run learns the same on every backend (${backendCase.name})`,
    ignore: !backendCase.available,
    fn: async () => {
      await withTinyData(async (folder) => {
        const backend = await backendCase.open();
        const overrides = ["train.maxSteps=5"];
        const here = await tinyRun(folder, { overrides, output: "here", backend });
        assert.equal(backend.memory().storages, 0, "everything is freed");
        await backend.close();
        const reference = await tinyRun(folder, { overrides, output: "reference" });
        const [a, b] = [here.losses["cross-entropy"], reference.losses["cross-entropy"]];
        assert.ok(Math.abs(a - b) < 1e-4 * b, `${a} and ${b}`);
        assert.ok(here.merge.maxAbsLogitDifference < 1e-4);
      });
    },
  });
}
