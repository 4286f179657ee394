import assert from "node:assert/strict";
import { checkPlugin } from "../../../../core/plugin/check/check_plugin.ts";
import type { DatasetDefinition, Examples } from "../../../../core/plugin/dataset.ts";
import { defineLoss, type Loss, type LossDefinition } from "../../../../core/plugin/loss.ts";
import { defineModel, type Model } from "../../../../core/plugin/model.ts";
import { resnet } from "../../../../plugins/models/resnet/resnet.ts";
import { textData } from "../../../support/inputs.ts";

type Definition = Parameters<typeof checkPlugin>[0];

/** What fails, by the name of the check. */
async function failures(definition: Definition, options: Parameters<typeof checkPlugin>[1] = {}) {
  const failed: Record<string, string> = {};
  for await (const { name, outcome, detail } of checkPlugin(definition, options)) {
    if (outcome === "failed") failed[name] = detail!;
  }
  return failed;
}

const good = defineLoss<{ power: number }>({
  name: "squares",
  description: "Squared difference of the logits",
  options: ({ z }) => z.strictObject({ power: z.int().default(2).describe("Not used") }),
  create: () => ({
    teacherOutputs: ["logits"],
    compute: ({ ops, student, teacher }) => ops.mean(ops.square(ops.subtract(student.logits, teacher.logits))),
  }),
});

/** The good loss with another `create`. */
const withCreate = (create: LossDefinition["create"]): LossDefinition => ({ ...good, create });
const withCompute = (compute: Loss["compute"]) => withCreate(() => ({ teacherOutputs: ["logits"], compute }));

Deno.test("a good loss passes every check", async () => {
  assert.deepEqual(await failures(good), {});
});

Deno.test("a definition is refused for its name, its description and its comment", async () => {
  const bad = { ...good, name: "Bad Name", description: "Two\nlines." };
  const failed = await failures(bad, {
    text: `/** Far away. */\nconst x = 1;\nexport const bad = { name: "Bad Name" };`,
  });
  assert.deepEqual(Object.keys(failed), [
    "definition has a kind, a name and a description",
    "definition has a doc comment",
  ]);
  const text = `const x = 1;\n/** Good. */\nexport default {\n  name: "squares",\n};`;
  assert.deepEqual(await failures(good, { text }), {});
});

Deno.test("options must be strict, described, and taken again as they are given", async () => {
  const check = "options are a strict map, each with a description";
  const loose = { ...good, options: ({ z }) => z.looseObject({}) } satisfies LossDefinition;
  assert.match((await failures(loose))[check], /unknown option is not refused/);
  const bare = { ...good, options: ({ z }) => z.strictObject({ a: z.number().default(1) }) } satisfies LossDefinition;
  assert.equal((await failures(bare))[check], 'a has no .describe("...")');
  const turning = {
    ...good,
    options: ({ z }) => z.strictObject({ a: z.number().default(1).transform((a) => a + 1).describe("Grows") }),
  } satisfies LossDefinition;
  assert.match(Object.values(await failures(turning)).join(), /changes when read again/);
  const wrong = await failures(good, { options: { power: "two" } });
  assert.deepEqual(
    Object.keys(wrong),
    ["options are taken, defaults filled in"],
    "nothing is built with refused options",
  );
});

Deno.test("a wrong gradient is found, and one that is missing", async () => {
  const check = "gradient agrees with finite differences";
  // The second factor is held constant, so that half of the gradient is lost.
  const half = withCompute(({ ops, student: { logits } }) =>
    ops.mean(ops.multiply(logits, ops.constant(() => ops.scale(logits, 1))))
  );
  assert.match((await failures(half))[check], /^by student\.logits\[0\] it is .*, and .* by finite differences$/);
  const none = withCompute(({ ops, teacher }) => ops.mean(ops.square(teacher.logits)));
  assert.equal((await failures(none))[check], "no gradient reaches what is trained");
  const idle = withCreate(() => ({
    teacherOutputs: [],
    parameters: [{
      name: "unused",
      shape: [2],
      initialise: { use: "constant", value: 1 },
      trainable: true,
      overParameterisable: false,
    }],
    compute: ({ ops, student }) => ops.mean(student.logits),
  }));
  assert.equal((await failures(idle))[check], 'no gradient reaches its parameter "unused"');
});

Deno.test("what a loss gives must be a finite scalar", async () => {
  const check = "gives a finite scalar of shape []";
  const row = withCompute(({ ops, student }) => ops.mean(student.logits, { axes: [-1] }));
  assert.match((await failures(row))[check], /expected a scalar tensor of shape \[\], got a tensor of shape \[4\]$/);
  const number = withCompute((() => 3) as never);
  assert.match((await failures(number))[check], /expected a scalar tensor of shape \[\], got number$/);
  const infinite = withCompute(({ ops, student }) => ops.log(ops.scale(ops.mean(ops.square(student.logits)), -1)));
  assert.equal((await failures(infinite))[check], "the value is NaN");
});

Deno.test("reading of the teacher what is not declared is found", async () => {
  const sneaky = withCompute(({ ops, student, teacher }) =>
    ops.mean(ops.square(ops.subtract(student.pooled, teacher.pooled)))
  );
  assert.match(
    (await failures(sneaky))["reads only the teacher's outputs that it declares"],
    /Cannot read the teacher's pooled as teacherOutputs does not name it: add "pooled" there/,
  );
  const misspelt = withCreate(() => ({ teacherOutputs: ["logit" as "logits"], compute: ({ ops }) => ops.scalar(0) }));
  assert.match(Object.values(await failures(misspelt)).join(), /names "logit", did you mean "logits"\?/);
});

Deno.test("leaks, memories and whims are found", async () => {
  const leaking = withCompute(({ ops, student }) => ops.mean(ops.keep(ops.square(student.logits))));
  assert.match((await failures(leaking))["leaks no tensors"], /^3 more tensors live after 3 more steps$/);
  let calls = 0;
  const counting = withCompute(({ ops, student }) => ops.scale(ops.mean(ops.square(student.logits)), ++calls));
  const failed = await failures(counting);
  assert.match(failed["compute changes nothing"], /^the value\[0\] is .* when it is computed again, and was /);
  assert.match(failed["the same numbers in every run"], /in a second run/);
});

Deno.test("a loss that keeps a state by assigning to it in observe passes", async () => {
  const running = withCreate((_options, { shapes }) => ({
    teacherOutputs: ["pooled"],
    state: [{ name: "mean", shape: [shapes.student.pooled[1]], initialise: { use: "constant", value: 0 } }],
    async prepare({ ops, overTrainingSet, labels, state }) {
      const pooled = await overTrainingSet((outputs) => outputs.pooled);
      assert.equal(pooled.length % labels!.length, 0);
      ops.scope(() => ops.assign(state.get("mean"), ops.full(state.get("mean").shape, pooled[0])));
    },
    compute: ({ ops, student, state }) => ops.mean(ops.square(ops.subtract(student.pooled, state.get("mean")))),
    observe({ ops, student, state }) {
      ops.assign(state.get("mean"), ops.mean(student.pooled, { axes: [0] }));
    },
    endEpoch: ({ ops, state }) => ({ size: ops.mean(state.get("mean")) }),
  }));
  assert.deepEqual(await failures(running), {});
});

Deno.test("stumbling over a wider teacher is told from refusing it", async () => {
  const check = "works with a wider teacher, or refuses it in one sentence";
  const across = (refuse: () => void) =>
    withCreate((_options, { shapes }) => {
      if (shapes.student.pooled[1] !== shapes.teacher!.pooled[1]) refuse();
      return {
        teacherOutputs: ["pooled"],
        compute: ({ ops, student, teacher }) => ops.mean(ops.square(ops.subtract(student.pooled, teacher.pooled))),
      };
    });
  const refusing = across(() => {
    throw new Error("Cannot compare features of unequal widths");
  });
  assert.deepEqual(await failures(refusing), {});
  const stumbling = across(() => {
    throw new TypeError("x is undefined");
  });
  assert.deepEqual(await failures(stumbling), { [check]: "TypeError: x is undefined" });
});

/** A ResNet whose model is changed. */
const changedModel = (change: (model: Model) => Partial<Model>) =>
  defineModel<Parameters<typeof resnet.build>[0]>({
    ...resnet,
    build: (options, data) => {
      const model = resnet.build(options, data);
      return { ...model, ...change(model) };
    },
  });
const small = { options: { depth: 8, width: 4 } };

Deno.test("a model's list of parameters is held against what it asks for", async () => {
  const spare = { name: "spare", shape: [2], initialise: { use: "constant", value: 0 } } as const;
  const longer = changedModel(({ parameters }) => ({
    parameters: [...parameters, { ...spare, trainable: false, overParameterisable: false }],
  }));
  assert.deepEqual(await failures(longer, small), {
    "asks for every weight that it lists, and for no other": 'it never asks for "spare"',
  });
  const shorter = changedModel(({ parameters }) => ({
    parameters: parameters.filter(({ name }) => name !== "fc.bias"),
  }));
  assert.match(
    (await failures(shorter, small))["asks for every weight that it lists, and for no other"],
    /^The model "resnet" failed in forward: Cannot find the weight "fc\.bias"/,
  );
});

Deno.test("inner widths that are more than a model says, or that options cannot make smaller, are found", async () => {
  const check = "gives without inner channels what it gives with them at zero";
  const without = (lacking: RegExp) =>
    changedModel(({ innerWidths = [] }) => ({
      innerWidths: innerWidths.map((width) => ({
        ...width,
        tensors: width.tensors.filter(({ name }) => !lacking.test(name)),
      })),
    }));
  const shorter = await failures(without(/conv2/), small);
  assert.match(
    shorter[check],
    /^the narrower model has layer1\.0\.conv2\.weight \[4, 2, 3, 3\], for which there are other /,
  );
  const { withWidths: _, ...fixed } = resnet;
  assert.match((await failures(fixed, small))[check], /^it has innerWidths and no withWidths/);
});

Deno.test("a model that forgets its config, its shapes or itself is found", async () => {
  const forgetful = changedModel(() => ({ config: { depth: 14 } }));
  assert.deepEqual(Object.keys(await failures(forgetful, small)), ["config builds the same model again"]);
  const flat = changedModel((model) => ({
    forward: (call) => ({ ...model.forward(call), pooled: call.ops.scalar(0) }),
  }));
  assert.match(
    (await failures(flat, small))["outputs have the shapes of the batch"],
    /^pooled is \[\] for a batch of 1$/,
  );
  let passes = 0;
  const moody = changedModel((model) => ({
    forward: (call) => {
      const outputs = model.forward(call);
      return { ...outputs, logits: call.ops.offset(outputs.logits, passes++ % 2) };
    },
  }));
  assert.ok("evaluation is the same each time, and changes no weight" in await failures(moody, small));
});

/** A data set of texts of one token, with faults. */
function dataset(fault: "none" | "label" | "order" | "shape"): DatasetDefinition {
  let calls = 0;
  const examples: Examples = {
    length: 3,
    labels: Uint8Array.of(0, 1, fault === "label" ? 2 : 0),
    batch(indices) {
      const data = Float32Array.from(indices, (index, place) => index + 1 + (fault === "order" ? place : 0));
      const shape = [indices.length, 1];
      const ones = { data: data.map(() => 1), shape };
      calls++;
      return {
        tokens: { data, shape: fault === "shape" && calls === 1 ? [1, indices.length] : shape },
        types: { data: data.map(() => 0), shape },
        mask: ones,
        label: { data: Float32Array.from(indices, (index) => examples.labels![index]), shape: [indices.length] },
      };
    },
  };
  return {
    kind: "dataset",
    name: "words",
    description: "Texts of one word",
    options: ({ z }) => z.strictObject({}),
    load: () => Promise.resolve({ input: textData(["no", "yes"]), splits: { train: examples, test: examples } }),
  };
}

Deno.test("a data set's labels, shapes and order are checked", async () => {
  assert.deepEqual(await failures(dataset("none")), {});
  assert.deepEqual(await failures(dataset("label")), {
    "loads its splits":
      'Cannot use the data set "words": the label 2 of example 2 of its split train is not the number of one of its 2 ' +
      "classes, from 0",
  });
  assert.deepEqual(await failures(dataset("shape")), {
    "batches have the shapes of the description":
      'in train: Cannot use what batch of the data set "words" returns: expected 3 examples, got "tokens" of shape [1, 3]',
  });
  assert.match(
    (await failures(dataset("order")))["an example is the same wherever it stands"],
    /^in train: tokens\[0\] is .* for example \d among others, and was /,
  );
});

Deno.test("a data set whose load is not async passes, as it does in a run", async () => {
  const words = dataset("none");
  const loaded = await words.load({}, {} as never);
  assert.deepEqual(await failures({ ...words, load: () => loaded as never }), {});
});

Deno.test("what a plug-in throws is said as in a run, under its name", async () => {
  const fails = (sentence: string) => () => {
    throw new Error(sentence);
  };
  const words = dataset("none");
  assert.deepEqual(await failures({ ...words, load: fails("No file") }), {
    "loads its splits": 'The data set "words" failed in load: No file',
  });
  assert.deepEqual(await failures({ ...words, options: fails("No idea") }), {
    "options are a strict map, each with a description": 'The data set "words" failed in options: No idea',
    "options are taken, defaults filled in": 'The data set "words" failed in options: No idea',
  });
  const { input, splits } = await words.load({}, {} as never);
  const train = { ...splits.train, batch: fails("No such row") };
  const failed = await failures({ ...words, load: () => Promise.resolve({ input, splits: { ...splits, train } }) });
  assert.equal(
    failed["labels are in range"],
    'in train: The data set "words" failed in batch: No such row',
  );
  const inputs = withCreate(() => ({
    teacherOutputs: [],
    inputs: fails("No luck"),
    compute: ({ ops }) => ops.scalar(0),
  }));
  assert.match((await failures(inputs))["built for made-up models"], /The loss "squares" failed in inputs: No luck/);
});
