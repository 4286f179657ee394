import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { Interrupted } from "../../../../core/distill/stops.ts";
import { readSafetensors, toFloat32 } from "../../../../core/safetensors.ts";
import { backends } from "../../../support/backends.ts";
import { metricsLog, recorder, stopAt, studentBytes } from "../../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

/**
 * A loss that uses every hook: it draws a number for each step, counts how often each example was seen, and pulls the
 * logits to the sum of those of the epoch before.
 */
const plugin = `export default {
  kind: "loss",
  name: "hooked",
  description: "Every hook",
  options: ({ z }) => z.strictObject({}),
  create: (_options, { trainingExamples }) => ({
    teacherOutputs: ["pooled"],
    state: [
      { name: "seen", shape: [trainingExamples], initialise: { use: "constant", value: 0 } },
      { name: "sum", shape: [3], initialise: { use: "constant", value: 0 } },
      { name: "target", shape: [3], initialise: { use: "normal", deviation: 1 } },
      { name: "start", shape: [], initialise: { use: "constant", value: 0 } },
    ],
    async prepare({ ops, labels, overTrainingSet, teacherWeights, state, random }) {
      const pooled = await overTrainingSet(({ pooled }) => pooled);
      const bias = (await ops.read([teacherWeights.get("fc.bias")]))[0];
      if (pooled.length !== 4 * trainingExamples || labels.length !== trainingExamples || bias.length !== 3) {
        throw new Error("wrong lengths");
      }
      const mean = pooled.reduce((sum, x) => sum + x, 0) / pooled.length;
      ops.scope(() => ops.assign(state.get("start"), ops.scalar(mean + random.uniform())));
    },
    inputs: ({ indices, random }) => ({
      number: { data: Float32Array.from(indices), shape: [indices.length] },
      drawn: { data: Float32Array.of(random.uniform()), shape: [1] },
    }),
    compute: ({ ops, student, batch, state }) => {
      const target = ops.add(state.get("target"), ops.add(batch.drawn, state.get("start")));
      return ops.mean(ops.square(ops.subtract(student.logits, target)));
    },
    observe({ ops, student, batch, state }) {
      const sum = state.get("sum"), seen = state.get("seen");
      ops.assign(sum, ops.add(sum, ops.sum(student.logits, { axes: [0] })));
      const places = ops.tensor([...Array(trainingExamples).keys()]);
      const distance = ops.abs(ops.subtract(places, ops.reshape(batch.number, [-1, 1])));
      ops.assign(seen, ops.add(seen, ops.sum(ops.relu(ops.offset(ops.negate(distance), 1)), { axes: [0] })));
    },
    endEpoch({ ops, state, epoch }) {
      ops.assign(state.get("target"), ops.scale(state.get("sum"), 0.01));
      ops.assign(state.get("sum"), ops.full([3], 0));
      return epoch === 1 ? {} : { seen: ops.mean(state.get("seen")), start: state.get("start") };
    },
  }),
};
`;

const text = tinyRecipe.replace(
  "losses: [{ use: cross-entropy }]",
  `teacher: { use: resnet, depth: 8, width: 1, weights: teacher/student }
losses: [{ use: cross-entropy }, { use: ./hooked.js, weight: { from: 0, to: 1, schedule: step, epochs: 2 } }]`,
);

async function withPlugin(body: (folder: string) => Promise<void>): Promise<void> {
  await withTinyData(async (folder) => {
    await Deno.writeTextFile(join(folder, "hooked.js"), plugin);
    const overrides = ["student.width=1", "student.overParameterise=[]", "train.maxSteps=2"];
    await tinyRun(folder, { output: "teacher", overrides });
    await body(folder);
  });
}

Deno.test("a loss sees every step, also at weight 0, and reports numbers at the end of an epoch", async () => {
  await withPlugin(async (folder) => {
    const { lines, reporter } = recorder();
    const summary = await tinyRun(folder, { text, reporter });
    // Each of 5 epochs sees each example once: 72 of 96 are trained on.
    assert.equal(summary.lossMetrics.hooked.seen, 5);
    assert.ok(summary.lossMetrics.hooked.start > 0);
    const logged = (await metricsLog(folder, "run")).filter((line) => line.lossMetrics);
    assert.deepEqual(logged.map(({ epoch, lossMetrics }) => [epoch, lossMetrics.hooked.seen]), [
      [2, 2],
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
    const shown = summary.lossMetrics.hooked.start.toPrecision(4);
    assert.ok(lines.includes(`epoch 5: hooked seen 5.000, start ${shown}`), lines.join("\n"));
    const { tensors } = await readSafetensors(join(folder, "run", "checkpoint", "state.safetensors"));
    assert.deepEqual([...toFloat32(tensors.get("state of hooked: seen")!)], new Array(72).fill(5));
  });
});

for (const { name, available, open } of backends) {
  Deno.test({
    name: `a loss's state and draws resume bit for bit (${name})`,
    ignore: !available,
    fn: async () => {
      await withPlugin(async (folder) => {
        const backend = await open();
        const before = backend.memory().storages;
        const overrides = ["train.epochs=4"];
        const whole = await tinyRun(folder, { text, backend, overrides, output: "whole" });
        // In an epoch's middle, at its end, and before the weight is above 0.
        for (const stop of name === "cpu" ? [13, 15, 3] : [13]) {
          const options = { text, backend, overrides, output: "parts" };
          await assert.rejects(tinyRun(folder, { ...options, signal: stopAt(stop) }), Interrupted);
          const parts = await tinyRun(folder, { ...options, resume: true });
          assert.deepEqual(parts.lossMetrics, whole.lossMetrics);
          const [a, b] = await Promise.all(["whole", "parts"].map((run) => studentBytes(folder, run)));
          if (name === "cpu") assert.deepEqual(a, b, `stopped after ${stop}`);
        }
        assert.equal(backend.memory().storages, before, "nothing of the losses stays on the device");
        await backend.close();
      });
    },
  });
}

Deno.test("what a loss refuses in prepare is told with its place in the recipe, and nothing stays behind", async () => {
  await withPlugin(async (folder) => {
    const alone = text.replace(/teacher: .*\n/, "").replace('["pooled"]', "[]");
    await Deno.writeTextFile(join(folder, "hooked.js"), plugin.replace('["pooled"]', "[]"));
    const backend = await CpuBackend.create();
    await assert.rejects(tinyRun(folder, { text: alone, backend }), {
      name: "UserError",
      message: /tiny\.yaml:\d+:\d+: Cannot look at a teacher's outputs: there is no teacher$/,
    });
    assert.equal(backend.memory().storages, 0);
    await backend.close();
  });
});

Deno.test("losses that keep state train the same student by replayed steps as by computed ones", async () => {
  await withPlugin(async (folder) => {
    const losses = "[{ use: cross-entropy }, { use: kernel-transfer, warmUpEpochs: 2, layer: both }, " +
      "{ use: contrastive, weight: { from: 0, to: 0.5, schedule: step, epochs: 1 }, negatives: 20 }, " +
      "{ use: lelp, subclasses: 2, beta: { from: 2, to: 1 } }, { use: ./hooked.js, weight: 0.1 }]";
    const overrides = [`losses=${losses}`, "student.subclasses=2"];
    const replayed = await tinyRun(folder, { text, overrides });
    const computed = await tinyRun(folder, {
      text,
      overrides: [...overrides, "train.replay=false"],
      output: "computed",
    });
    assert.deepEqual(computed.lossMetrics, replayed.lossMetrics);
    assert.equal(computed.studentSha256, replayed.studentSha256);
  });
});

Deno.test("while no loss has begun, no weight is called unreached", async () => {
  await withTinyData(async (folder) => {
    await tinyRun(folder, { output: "teacher", overrides: ["train.epochs=1", "student.overParameterise=[]"] });
    const text = tinyRecipe.replace(
      "losses: [{ use: cross-entropy }]",
      "teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }\nlosses: [{ use: kernel-transfer, warmUpEpochs: 2 }]",
    );
    const { reporter, warnings } = recorder();
    await tinyRun(folder, { text, reporter, overrides: ["train.epochs=4", "teacher.onPoorTeacher=ignore"] });
    // The last layer's weights are in no kernel of the pooled features.
    assert.deepEqual(warnings.filter((line) => line.includes("conv1.weight")), []);
  });
});

Deno.test("a loss's state that is too large for the backend is refused before training, with what would help", async () => {
  await withTinyData(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "bank.ts"),
      plugin.replace('"seen", shape: [trainingExamples]', '"bank", shape: [2000, trainingExamples]'),
    );
    const backend = Object.assign(await CpuBackend.create(), { mostNumbers: 100_000 });
    const overrides = [
      "losses=[{ use: cross-entropy }, { use: ./bank.ts }]",
      "teacher={ use: resnet, depth: 8, width: 4, weights: teacher/student }",
    ];
    try {
      await tinyRun(folder, { output: "teacher", overrides: ["train.maxSteps=1"] });
      await assert.rejects(tinyRun(folder, { backend, overrides }), {
        name: "UserError",
        message:
          /Cannot hold the loss's state "hooked: bank" \[2000, 72\]: it has .* at most .*; fewer training examples, or --backend cpu$/,
      });
    } finally {
      await backend.close();
    }
  });
});
