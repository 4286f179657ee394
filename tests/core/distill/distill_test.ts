import assert from "node:assert/strict";
import { join } from "node:path";
import { Interrupted, NonFiniteLoss } from "../../../core/distill/stops.ts";
import { CpuBackend } from "../../../core/backend/cpu/cpu_backend.ts";
import type { Reporter } from "../../../core/distill/progress.ts";
import { readSafetensors } from "../../../core/safetensors.ts";
import { backends } from "../../support/backends.ts";
import { tinyRecipe, tinyRun, withTinyData, writeTinyData } from "../../support/tiny_run.ts";

const weights = (folder: string, run = "run") => Deno.readFile(join(folder, run, "student", "model.safetensors"));

/** A reporter that keeps what it is told and stops the run after a step. */
function recorder(stopAfter = Infinity) {
  const lines: string[] = [];
  const warnings: string[] = [];
  const controller = new AbortController();
  const reporter: Reporter = {
    line: (text) => lines.push(text),
    warning: (text) => warnings.push(text),
    progress: ({ step }) => step >= stopAfter && controller.abort(),
  };
  return { lines, warnings, reporter, signal: controller.signal };
}

/** A signal that fires after so many steps; training looks at it once a step. */
function stopAt(steps: number): AbortSignal {
  let looks = 0;
  return {
    get aborted() {
      return looks++ >= steps;
    },
  } as AbortSignal;
}

/** The lines of a run's metrics.jsonl. */
async function metricsLog(folder: string, run = "run") {
  const text = await Deno.readTextFile(join(folder, run, "metrics.jsonl"));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("a run trains chains, merges them, and ships exactly the plain student's tensors", async () => {
  await withTinyData(async (folder) => {
    const chained = await tinyRun(folder, { output: "chained" });
    const plain = await tinyRun(folder, { output: "plain", overrides: ["student.overParameterise=[]"] });
    assert.ok(chained.student.accuracy > 0.9, `it learns: ${chained.student.accuracy}`);
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
    assert.deepEqual(await weights(folder, "a"), await weights(folder, "b"));
    assert.notDeepEqual(await weights(folder, "a"), await weights(folder, "c"));
  });
});

Deno.test("20 steps equal 10 steps, a stop, and 10 resumed steps, bit for bit", async () => {
  await withTinyData(async (folder) => {
    for (const optimiser of ["sgd", "adamw"]) {
      const options = {
        overrides: [
          `train.optimiser={ use: ${optimiser}, learningRate: 0.01 }`,
          "student.dropout=0.2",
          "augment={ flip: true, shift: 1 }",
          "train.restoreBest=true",
        ],
      };
      await tinyRun(folder, { ...options, output: "whole" });
      // In the middle of an epoch, and at its end.
      for (const stop of [7, 10]) {
        await assert.rejects(tinyRun(folder, { ...options, signal: stopAt(stop), output: "parts" }), Interrupted);
        const { lines, reporter } = recorder();
        await tinyRun(folder, { ...options, output: "parts", resume: true, reporter });
        assert.ok(lines.some((line) => line.startsWith(`resumed after step ${stop} of 25`)), lines.join("\n"));
        assert.deepEqual(await weights(folder, "whole"), await weights(folder, "parts"), `${optimiser}, ${stop}`);
      }
      const log = async (run: string) =>
        (await metricsLog(folder, run)).map((line) => ({ ...line, examplesPerSecond: 0 }));
      assert.deepEqual(await log("whole"), await log("parts"));
    }
  });
});

Deno.test("a checkpoint of another recipe is refused", async () => {
  await withTinyData(async (folder) => {
    await assert.rejects(tinyRun(folder, { ...recorder(5) }), Interrupted);
    await assert.rejects(tinyRun(folder, { resume: true, overrides: ["train.batchSize=8"] }), {
      name: "UserError",
      message:
        /as it was made by another recipe: train\.batchSize differs; the run folder's recipe.yaml is the one that fits$/,
    });
    // The refusal left the run as it was: its own recipe goes on.
    await tinyRun(folder, { resume: true });
    await writeTinyData(folder, 96, 25);
    await assert.rejects(tinyRun(folder, { resume: true }), {
      name: "UserError",
      message: /as test-images has changed since: start anew without --resume$/,
    });
    await assert.rejects(tinyRun(folder, { resume: true, output: "nowhere" }), {
      name: "UserError",
      message: /there is no such file or folder/,
    });
  });
});

Deno.test("a loss that is not finite stops the run with the step, the examples and the last checkpoint", async () => {
  await withTinyData(async (folder) => {
    const error = await tinyRun(folder, {
      overrides: ["train.optimiser.learningRate=1e30", "train.clipGradientNorm=null"],
    })
      .then(() => null, (error) => error);
    assert.ok(error instanceof NonFiniteLoss, `${error}`);
    assert.ok(error.step >= 2 && error.step <= 5, `step ${error.step}`);
    assert.equal(error.indices.length, 16);
    assert.match(error.message, /its batch has the examples \[\d+, .*there is no checkpoint yet/);
  });
});

Deno.test("early stopping ends the run and the best weights come back", async () => {
  await withTinyData(async (folder) => {
    const { lines, reporter } = recorder();
    // Nothing can be gained by a whole 1: the first epoch stays the best, and two more are waited for.
    const overrides = [
      "train.earlyStopping={ patience: 2, minDelta: 1 }",
      "train.restoreBest=true",
      "train.epochs=9",
    ];
    const summary = await tinyRun(folder, { overrides, reporter });
    assert.equal(summary.epochs, 3);
    assert.ok(lines.includes("restored the weights of epoch 1"), lines.join("\n"));
    const one = await tinyRun(folder, {
      output: "one",
      overrides: ["train.epochs=9", "train.maxSteps=5", "train.schedule={ use: constant }"],
    });
    assert.ok(one.steps === 5);
  });
});

Deno.test("a run that stopped early, or is finished, ends again as it ended when it is resumed", async () => {
  await withTinyData(async (folder) => {
    const overrides = ["train.earlyStopping={ patience: 1, minDelta: 1 }", "train.epochs=9"];
    const first = await tinyRun(folder, { overrides });
    const again = await tinyRun(folder, { overrides, resume: true });
    assert.deepEqual([again.epochs, again.losses], [first.epochs, first.losses]);
    assert.equal(again.studentSha256, first.studentSha256);
    assert.ok(first.losses["cross-entropy"] > 0);
  });
});

Deno.test("a learned projection is part of the checkpoint, and a half-written log line does not matter", async () => {
  await withTinyData(async (folder) => {
    const teacher = {
      output: "teacher",
      overrides: ["student.width=6", "student.overParameterise=[]", "train.maxSteps=2"],
    };
    await tinyRun(folder, teacher);
    const text = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 8, width: 6, weights: teacher/student }
losses: [{ use: cross-entropy }, { use: hidden-mse, pairs: [{ student: -1, teacher: -1 }] }]`,
    );
    await tinyRun(folder, { text, output: "whole" });
    await assert.rejects(tinyRun(folder, { text, signal: stopAt(12), output: "parts" }), Interrupted);
    await Deno.writeTextFile(join(folder, "parts", "metrics.jsonl"), '{"step": 12, "los', { append: true });
    await tinyRun(folder, { text, output: "parts", resume: true });
    assert.deepEqual(await weights(folder, "whole"), await weights(folder, "parts"));
    // The teacher is frozen: its file and what it is evaluated to do not depend on the student's training.
    const [a, b] = await Promise.all(
      ["whole", "parts"].map(async (run) =>
        JSON.parse(await Deno.readTextFile(join(folder, run, "metrics.json"))).teacher
      ),
    );
    assert.deepEqual(a, b);
  });
});

Deno.test("an interrupted run frees what it had on the caller's backend", async () => {
  await withTinyData(async (folder) => {
    const backend = await CpuBackend.create();
    const overrides = ["train.restoreBest=true", "train.logEvery=3"];
    await assert.rejects(tinyRun(folder, { backend, overrides, signal: stopAt(7) }), Interrupted);
    assert.equal(backend.memory().storages, 0);
    await backend.close();
  });
});

Deno.test("a norm that grows tenfold is a warning that says what to change, however rare the log lines", async () => {
  await withTinyData(async (folder) => {
    for (const logEvery of [1, 25]) {
      const { warnings, reporter } = recorder();
      const overrides = [
        "train.optimiser.learningRate=3",
        "train.clipGradientNorm=null",
        "train.optimiser.weightDecay=0",
        `train.logEvery=${logEvery}`,
      ];
      await tinyRun(folder, { overrides, reporter }).catch((error) => assert.ok(error instanceof NonFiniteLoss));
      assert.ok(
        warnings.some((text) => /^the norm of layer\d.* grew from .* set train.clipGradientNorm to 1/.test(text)),
        `${logEvery}: ${warnings.join("\n")}`,
      );
    }
  });
});

Deno.test("distillation with every loss runs and the alignment falls", async () => {
  await withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["student.depth=14", "student.overParameterise=[]"] });
    const text = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      `teacher: { use: resnet, depth: 14, width: 4, weights: teacher/student }
losses:
  - { use: cross-entropy, weight: 0.1 }
  - { use: kd, weight: 0.9, temperature: { from: 6, to: 2 } }
  - { use: mse-logits, weight: 0.01 }
  - { use: hidden-mse, weight: 0.01, pairs: [{ student: layer1, teacher: layer2 }, { student: -1, teacher: -1 }] }
  - { use: tensor-alignment, weight: 100 }`,
    ).replace("student: layer1, teacher: layer2", "student: conv1, teacher: conv1");
    const summary = await tinyRun(folder, { text, overrides: ["train.epochs=20", "train.clipGradientNorm=null"] });
    const log = (await metricsLog(folder)).filter(({ losses }) => losses);
    const [first, last] = [log[0].losses["tensor-alignment"], log.at(-1).losses["tensor-alignment"]];
    assert.ok(last < 0.2 * first, `L_Aux falls from ${first} to ${last}`);
    assert.ok(summary.teacher!.parameters > summary.student.parametersInference);
  });
});

Deno.test("weight decay reaches the cores, the merged matrix, or neither", async () => {
  await withTinyData(async (folder) => {
    const norm = async (target: string) => {
      const overrides = [`train.cores.weightDecayTarget=${target}`, "train.cores.weightDecay=0.5", "train.epochs=2"];
      const { norms } = await tinyRun(folder, { overrides });
      return norms["layer3.0.conv2.weight"];
    };
    const [cores, merged, none] = [await norm("cores"), await norm("merged"), await norm("none")];
    assert.ok(cores < none && merged < none, `cores ${cores}, merged ${merged}, none ${none}`);
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

for (const backendCase of backends) {
  Deno.test({
    name: `weights that are not finite end the run, even behind a ReLU that hides them (${backendCase.name})`,
    ignore: !backendCase.available,
    fn: async () => {
      await withTinyData(async (folder) => {
        for (const clip of ["null", "auto"]) {
          const backend = await backendCase.open();
          const overrides = ["train.cores.learningRateScale=1e25", `train.clipGradientNorm=${clip}`];
          await assert.rejects(tinyRun(folder, { overrides, backend }), NonFiniteLoss);
          assert.equal(backend.memory().storages, 0);
          await backend.close();
        }
      });
    },
  });

  Deno.test({
    name: `distillation with chains and alignment resumes after Ctrl-C (${backendCase.name})`,
    ignore: !backendCase.available,
    fn: async () => {
      await withTinyData(async (folder) => {
        await tinyRun(folder, { output: "teacher", overrides: ["student.overParameterise=[]", "train.maxSteps=5"] });
        const text = tinyRecipe.replace(
          "losses: [{ use: cross-entropy }]",
          `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }
losses: [{ use: kd }, { use: tensor-alignment, weight: 10 }]`,
        );
        const overrides = ["train.maxSteps=9"];
        const backend = await backendCase.open();
        const whole = await tinyRun(folder, { text, overrides, backend, output: "whole" });
        await assert.rejects(
          tinyRun(folder, { text, overrides, backend, signal: stopAt(4), output: "parts" }),
          Interrupted,
        );
        const parts = await tinyRun(folder, { text, overrides, backend, resume: true, output: "parts" });
        assert.ok(whole.losses["tensor-alignment"] > 0);
        for (const [name, norm] of Object.entries(whole.norms)) {
          assert.ok(Math.abs(parts.norms[name] - norm) < 1e-4 * norm, `${name}: ${norm} and ${parts.norms[name]}`);
        }
        await backend.close();
      });
    },
  });
}
