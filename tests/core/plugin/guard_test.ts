import assert from "node:assert/strict";
import { join } from "node:path";
import type { Dataset, DatasetDefinition, Examples, Task } from "../../../core/plugin/dataset.ts";
import { guardDefinition } from "../../../core/plugin/guard.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import type { Loss, LossDefinition } from "../../../core/plugin/loss.ts";
import type { Model, ModelDefinition } from "../../../core/plugin/model.ts";
import { UserError } from "../../../core/errors.ts";
import { textData } from "../../support/inputs.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

/** Runs the tiny recipe with a loss (or a student) whose file has this text, and gives what is said. */
async function refusal(folder: string, text: string, kind: "loss" | "model" = "loss"): Promise<string> {
  const name = `plugin_${crypto.randomUUID()}.js`;
  await Deno.writeTextFile(join(folder, name), text);
  const recipe = kind === "loss"
    ? tinyRecipe.replace("{ use: cross-entropy }", `{ use: ./${name} }`)
    : tinyRecipe.replace("use: resnet", `use: ./${name}`);
  let said = "";
  await assert.rejects(tinyRun(folder, { text: recipe, overrides: ["train.maxSteps=2"] }), (error: Error) => {
    assert.equal(error.name, "UserError", String(error.stack));
    said = error.message.replaceAll(name, "FILE").replace(/^.*tiny\.yaml:\d+:\d+: /, "");
    return true;
  });
  assert.ok(!said.includes("\n"), said);
  return said;
}

const loss = (create: string) =>
  `export default { kind: "loss", name: "mine", description: "Mine", options: ({ z }) => z.strictObject({}), ` +
  `create: () => (${create}) };`;
const computing = (compute: string) =>
  loss(`{ teacherOutputs: [], compute: ({ ops, student, teacher }) => ${compute} }`);

Deno.test("what a loss does wrong is one sentence with its name", () =>
  withTinyData(async (folder) => {
    const says = async (text: string, sentence: string | RegExp) => {
      const said = await refusal(folder, text);
      if (typeof sentence === "string") assert.equal(said, sentence);
      else assert.match(said, sentence);
    };
    await says(computing('{ throw new Error("Out of ideas") }'), 'The loss "mine" failed in compute: Out of ideas');
    await says(
      computing("ops.mean(student.features.layer9)"),
      /^The loss "mine" failed in compute: Cannot read properties of undefined/,
    );
    await says(
      computing("ops.subtract(student.logits, student.pooled)"),
      /^The loss "mine" failed in compute: Cannot .*\[16, 3\].*\[16, 16\]/,
    );
    await says(
      computing("ops.square(student.logits)"),
      'Cannot use what compute of the loss "mine" returns: expected a scalar tensor of shape [], got a tensor of shape [16, 3]',
    );
    await says(computing("1"), /: expected a scalar tensor of shape \[\], got number$/);
    await says(computing("undefined"), /got undefined$/);
    await says(
      computing("ops.mean(teacher.logits)"),
      'The loss "mine" failed in compute: Cannot read the teacher\'s logits as teacherOutputs does not name it: add "logits" there',
    );
    await says(
      loss('{ teacherOutputs: ["logit"], compute() {} }'),
      'Cannot use the loss "mine": teacherOutputs names "logit", did you mean "logits"?',
    );
    await says(loss('(() => { throw new Error("No luck") })()'), 'The loss "mine" failed in create: No luck');
    await says(
      loss('{ teacherOutputs: [], async prepare() { throw new Error("No data") }, compute() {} }'),
      'The loss "mine" failed in prepare: No data',
    );
  }));

Deno.test("a file that is no plug-in is refused by what it lacks", () =>
  withTinyData(async (folder) => {
    assert.equal(
      await refusal(folder, "export const loss = 1;"),
      'Cannot use "./FILE" as a loss plug-in: it has no default export with a definition',
    );
    assert.equal(
      await refusal(folder, 'export default { kind: "model" };'),
      'Cannot use "./FILE" as a loss plug-in: its default export has no kind: "loss"',
    );
    assert.equal(
      await refusal(folder, 'export default { kind: "loss", name: "x", description: "X", options: () => {} };'),
      'Cannot use "./FILE" as a loss plug-in: its default export has no create',
    );
    assert.match(await refusal(folder, "export default {"), /^Cannot load the loss plug-in "\.\/FILE": /);
  }));

Deno.test("NaN of a loss stops the run and says what is not finite", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "nan.js"),
      computing("ops.log(ops.scale(ops.mean(ops.square(student.logits)), -1))"),
    );
    const text = tinyRecipe.replace("{ use: cross-entropy }", "{ use: ./nan.js }");
    await assert.rejects(tinyRun(folder, { text, overrides: ["train.maxSteps=2"] }), {
      name: "NonFiniteLoss",
      message: /^Stopped at step 1 as its loss is not finite/,
    });
  }));

Deno.test("what a model does wrong is one sentence with its name", () =>
  withTinyData(async (folder) => {
    const model = (build: string) =>
      `export default { kind: "model", name: "mine", description: "Mine", options: ({ z }) => z.looseObject({}), ` +
      `build: () => (${build}) };`;
    assert.equal(
      await refusal(folder, model('(() => { throw new Error("Too small") })()'), "model"),
      'The model "mine" failed in build: Too small',
    );
    assert.match(
      await refusal(folder, model("{}"), "model"),
      /^Cannot use the model "mine": its build must give \{ parameters/,
    );
    // "layer*.conv*.weight" of the recipe is to be found.
    const parameters = `[{ name: "layer1.conv1.weight", shape: [4, 4], initialise: { use: "constant", value: 1 }, ` +
      `trainable: true, overParameterisable: true }]`;
    assert.equal(
      await refusal(
        folder,
        model(`{ parameters: ${parameters}, config: {}, fromForeign: (name) => name, forward: () => ({ logits: 1 }) }`),
        "model",
      ),
      'Cannot use what forward of the model "mine" returns: it has no features',
    );
  }));

Deno.test("a loss that is an object of a class keeps its private fields", () =>
  withTinyData(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "class.js"),
      `class Mine { #factor = 2; teacherOutputs = [];
        compute({ ops, student }) { return ops.scale(ops.mean(ops.square(student.logits)), this.#factor); } }
      ${loss("new Mine()")}`,
    );
    const text = tinyRecipe.replace("{ use: cross-entropy }", "{ use: ./class.js }");
    const summary = await tinyRun(folder, { text, overrides: ["train.maxSteps=2"] });
    assert.ok(summary.losses.mine > 0);
  }));

const ownSentence = new UserError("Cannot do it: it is Sunday");
const fails = (error: Error = new Error("Out of ideas")) => () => {
  throw error;
};
const said = (message: string | RegExp) => ({ name: "UserError", message });

const examples: Examples = {
  length: 1,
  labels: Uint8Array.of(0),
  batch: () => ({ label: { data: new Float32Array(1), shape: [1] } }),
};
const loaded: Dataset = { input: textData(["no", "yes"]), splits: { train: examples, test: examples } };
const words: DatasetDefinition = {
  kind: "dataset",
  name: "words",
  description: "Words",
  options: ({ z }) => z.strictObject({}),
  load: () => Promise.resolve(loaded),
};
const load = (changed: Partial<Record<keyof DatasetDefinition, unknown>>): Promise<Dataset> =>
  guardDefinition({ ...words, ...changed } as DatasetDefinition).load({}, {} as never);

Deno.test("load of a data set gives a promise whether it is async or not", async () => {
  const promise = load({ load: () => loaded });
  assert.ok(promise instanceof Promise);
  assert.deepEqual((await promise).input, loaded.input);
  const failing = load({ load: fails() });
  assert.ok(failing instanceof Promise, "nothing is thrown at once");
  await assert.rejects(failing, said('The data set "words" failed in load: Out of ideas'));
  await assert.rejects(
    load({ load: () => Promise.reject(new Error("Later")) }),
    said('The data set "words" failed in load: Later'),
  );
  await assert.rejects(load({ load: fails(ownSentence) }), said(ownSentence.message));
});

Deno.test("what a data set gives is looked at, and its batches tell under its name what goes wrong in them", async () => {
  const lacking = 'Cannot use the data set "words": its load must give { input: {...}, splits: { train, test } }';
  for (const given of [undefined, {}, { ...loaded, splits: { train: examples } }, { splits: loaded.splits }]) {
    await assert.rejects(load({ load: () => given }), said(lacking));
  }
  await assert.rejects(
    load({ load: () => ({ ...loaded, splits: { ...loaded.splits, train: [1, 2] } }) }),
    said('Cannot use the data set "words": its split train must be { length, labels, batch(indices) {...} }'),
  );
  const splits = { ...loaded.splits, train: { ...examples, batch: fails() } };
  const { train, test } = (await load({ load: () => ({ ...loaded, splits }) })).splits;
  assert.throws(() => train.batch(Uint32Array.of(0)), said('The data set "words" failed in batch: Out of ideas'));
  assert.deepEqual(test.batch(Uint32Array.of(0)), examples.batch(Uint32Array.of(0)));
});

Deno.test("what a data set fetches, skips and warns of is passed on, and a fetch that fails is told under its name", async () => {
  const fetched: number[] = [];
  const fetch = (indices: Uint32Array) => Promise.resolve(void fetched.push(...indices));
  const skipped = [{ file: "a", count: 1, first: ["line 1"] }];
  const splits = { train: { ...examples, fetch, ahead: fetch }, test: { ...examples, fetch: fails(), ahead: fails() } };
  const close = () => Promise.resolve(void fetched.push(-1));
  const more = { skipped, warnings: ["Half of it is missing"], close };
  const guarded = await load({ load: () => ({ ...loaded, splits, ...more }) });
  assert.deepEqual([guarded.skipped, guarded.warnings], [skipped, ["Half of it is missing"]]);
  await guarded.splits.train.fetch!(Uint32Array.of(3, 1));
  await guarded.splits.train.ahead!(Uint32Array.of(2));
  await guarded.close!();
  assert.deepEqual(fetched, [3, 1, 2, -1]);
  await assert.rejects(
    guarded.splits.test.ahead!(Uint32Array.of(0)),
    said('The data set "words" failed in ahead: Out of ideas'),
  );
  await assert.rejects(
    guarded.splits.test.fetch!(Uint32Array.of(0)),
    said('The data set "words" failed in fetch: Out of ideas'),
  );
  const plain = await load({});
  assert.deepEqual([plain.splits.train.fetch, plain.splits.train.ahead, plain.close], [
    undefined,
    undefined,
    undefined,
  ]);
  await assert.rejects(
    load({ load: () => ({ ...loaded, warnings: "all" }) }),
    said('Cannot use the data set "words": its warnings must be a list of sentences'),
  );
  assert.deepEqual((await load({ load: () => ({ ...loaded, notes: ["cut"] }) })).notes, ["cut"]);
  await assert.rejects(load({ load: () => ({ ...loaded, notes: "cut" }) }), { message: /its notes must be a list of/ });
});

Deno.test("a data set in another tokenizer's form is looked at as well", async () => {
  const withOther = async (retokenise: Dataset["retokenise"]) =>
    await (await load({ load: () => ({ ...loaded, retokenise }) })).retokenise!("folder");
  assert.equal((await load({})).retokenise, undefined);
  assert.equal(await withOther(() => Promise.resolve(null)), null);
  assert.deepEqual((await withOther(() => Promise.resolve(loaded)))!.input, loaded.input);
  await assert.rejects(withOther(fails()), said('The data set "words" failed in retokenise: Out of ideas'));
  await assert.rejects(
    withOther(() => Promise.resolve({} as Dataset)),
    said('Cannot use the data set "words": its retokenise must give { input: {...}, splits: { train, test } }'),
  );
});

Deno.test("splits of a data set that are one stay one, and an object of a class keeps its private fields", async () => {
  class Counted implements Examples {
    #rows = 2;
    readonly labels = null;
    get length() {
      return this.#rows;
    }
    batch() {
      return { label: { data: new Float32Array(this.#rows), shape: [this.#rows] } };
    }
  }
  const own = new Counted();
  const { train, test } = (await load({ load: () => ({ ...loaded, splits: { train: own, test: own } }) })).splits;
  assert.equal(train, test, "so that validation examples from the test set are refused");
  assert.equal(train.length, 2);
  assert.deepEqual(train.batch(Uint32Array.of(0, 1)), own.batch());
});

const bare: LossDefinition = {
  kind: "loss",
  name: "mine",
  description: "Mine",
  options: ({ z }) => z.strictObject({}),
  create: () => ({ teacherOutputs: [], compute: ({ ops }) => ops.scalar(0) }),
};
const family: ModelDefinition = {
  kind: "model",
  name: "mine",
  description: "Mine",
  options: ({ z }) => z.strictObject({}),
  build: () => ({
    parameters: [],
    config: {},
    forward: fails(),
    fromForeign: fails(),
    fromFile: fails(),
    toFile: fails(),
    runLayer: fails(),
  }),
};

Deno.test("options of every kind of plug-in tell under its name what goes wrong in them", () => {
  for (
    const [definition, who] of [[words, 'data set "words"'], [bare, 'loss "mine"'], [family, 'model "mine"']] as const
  ) {
    const options = (given: unknown) =>
      guardDefinition({ ...definition, options: given } as LossDefinition).options(optionKit);
    assert.throws(() => options(fails()), said(`The ${who} failed in options: Out of ideas`));
    assert.throws(() => options(fails(ownSentence)), said(ownSentence.message));
    const must = `Cannot use the ${who}: its options must give a schema, z.strictObject({...})`;
    for (const given of [() => {}, () => ({ a: 1 })]) assert.throws(() => options(given), said(must));
    assert.ok(options(definition.options).safeParse({}).success);
  }
});

Deno.test("every method of a model and of a loss tells under its name what goes wrong in it", async () => {
  const model = guardDefinition(family).build({}, loaded.input);
  for (const method of ["forward", "fromForeign", "fromFile", "toFile", "runLayer"] as const) {
    const call = () => (model[method] as Model["fromForeign"])("x");
    assert.throws(call, said(`The model "mine" failed in ${method}: Out of ideas`), method);
  }
  const configured = guardDefinition<ModelDefinition>({ ...family, fromConfig: fails() });
  assert.throws(() => configured.fromConfig!({}, {}), said('The model "mine" failed in fromConfig: Out of ideas'));
  assert.equal(guardDefinition(family).fromConfig, undefined);
  const following = guardDefinition<ModelDefinition>({ ...family, fromWeights: fails(), fromTeacher: fails() });
  const stored = { shapes: new Map(), config: null };
  assert.throws(() => following.fromWeights!(stored, {}), said('The model "mine" failed in fromWeights: Out of ideas'));
  assert.throws(() => following.fromTeacher!({}, {}, 1), said('The model "mine" failed in fromTeacher: Out of ideas'));
  const methods = ["prepare", "inputs", "endEpoch", "observe"] as const;
  const loss = await guardDefinition<LossDefinition>({
    ...bare,
    create: () =>
      ({ ...Object.fromEntries(methods.map((method) => [method, fails()])), ...bare.create({}, {} as never) }) as Loss,
  }).create({}, { shapes: { teacher: null } } as never);
  for (const method of methods) {
    const call = () => (loss[method] as (call: unknown) => unknown)({});
    assert.throws(call, said(`The loss "mine" failed in ${method}: Out of ideas`), method);
  }
});

Deno.test("what a model computes on the host is looked at, and may not be a promise", () => {
  const guardedOn = (hostOutputs: () => unknown) => {
    const model = { parameters: [], config: {}, fromForeign: (name: string) => name, forward: () => null, hostOutputs };
    const definition = {
      kind: "model",
      name: "mine",
      description: "Mine",
      options: ({ z }: typeof optionKit) => z.strictObject({}),
      build: () => model,
    } as unknown as ModelDefinition;
    return guardDefinition(definition).build({}, textData(["a", "b"])).hostOutputs!;
  };
  const numbers = { "mine: logits": { data: new Float32Array(2), shape: [1, 2] } };
  assert.deepEqual(guardedOn(() => numbers)({}), numbers);
  const refused = (given: unknown, says: RegExp) =>
    assert.throws(() => guardedOn(() => given)({}), { name: "UserError", message: says });
  refused(Promise.resolve(numbers), /^Cannot use what hostOutputs of the model "mine" returns: expected \{ name: /);
  refused({ logits: [1, 2] }, /got undefined as the data of "logits"$/);
  refused({ logits: { data: new Float32Array(3), shape: [1, 2] } }, /got 3 numbers as "logits" of shape \[1, 2\]$/);
});

Deno.test("a guarded definition is not guarded again", () => {
  for (const definition of [words, bare, family]) {
    const once = guardDefinition(definition as LossDefinition);
    assert.notEqual(once, definition);
    assert.equal(guardDefinition(once), once);
  }
});

Deno.test("a run takes a data set whose load is not async, and says what goes wrong in its batches", () =>
  withTinyData(async (folder) => {
    const run = async (batch: string) => {
      const name = `dataset_${crypto.randomUUID()}.js`;
      await Deno.writeTextFile(
        join(folder, name),
        `const labels = Uint8Array.from({ length: 48 }, (_, index) => index % 3);
        const rows = (count, ...sizes) =>
          ({ data: new Float32Array(sizes.reduce((a, b) => a * b, count)), shape: [count, ...sizes] });
        const split = { length: 48, labels, batch: (indices) => ${batch} };
        export default { kind: "dataset", name: "mine", description: "Mine", options: ({ z }) => z.strictObject({}),
          load: () => ({
            input: { task: "classification", classes: ["a", "b", "c"], text: null,
              image: { size: [8, 8, 1], normalise: { mean: [0], std: [1] } } },
            splits: { train: split, test: { ...split } },
          }) };`,
      );
      const text = tinyRecipe.replace(/use: idx\n.*\n.*\n/, `use: ./${name}\n`);
      return await tinyRun(folder, { text, overrides: ["train.maxSteps=1"] });
    };
    await run("({ image: rows(indices.length, 8, 8, 1), label: rows(indices.length) })");
    await assert.rejects(
      run('{ throw new Error("No such row") }'),
      { name: "UserError", message: /tiny\.yaml:6:3: The data set "mine" failed in batch: No such row$/ },
    );
  }));

Deno.test("whatever a plug-in does wrong has the line of its entry, whenever in a run it does so", () =>
  withTinyData(async (folder) => {
    const fail = '{ throw new Error("Out of ideas") }';
    const computing = "teacherOutputs: [], compute: ({ ops, student }) => ops.mean(student.logits)";
    const written = (options: string, parts: string) =>
      `export default { kind: "loss", name: "mine", description: "Mine", options: ({ z }) => ${options}, ` +
      `create: () => ({ ${parts} }) };`;
    const strict = "z.strictObject({})";
    const checked = (refine: string) => written(`z.strictObject({ a: z.number().default(1) })${refine}`, computing);
    const cases: [text: string, says: string][] = [
      [written(fail, computing), 'The loss "mine" failed in options: Out of ideas'],
      [checked(`.refine(() => ${fail})`), 'The loss "mine" failed in a check of its options: Out of ideas'],
      [checked(`.transform(() => ${fail})`), 'The loss "mine" failed in a check of its options: Out of ideas'],
      [
        checked(".refine(() => false)"),
        "Cannot take a map for losses[1]: a check of its schema refuses it and does not say why",
      ],
      [checked('.refine(() => false, "a must be more")'), "a must be more for losses[1]: got a map"],
      [written(strict, `${computing}, inputs() ${fail}`), 'The loss "mine" failed in inputs: Out of ideas'],
      [
        written(strict, `${computing}, inputs() { return 5 }`),
        'Cannot use what inputs of the loss "mine" returns: expected { name: { data: Float32Array, shape: [...] } }, got 5',
      ],
      [
        written(strict, `${computing}, async prepare() { return 5 }`),
        'Cannot use what prepare of the loss "mine" returns: expected nothing, got 5',
      ],
      [written(strict, `${computing}, endEpoch() ${fail}`), 'The loss "mine" failed in endEpoch: Out of ideas'],
      [written(strict, `${computing}, observe() ${fail}`), 'The loss "mine" failed in observe: Out of ideas'],
      [written(strict, `teacherOutputs: [], compute() ${fail}`), 'The loss "mine" failed in compute: Out of ideas'],
      [
        written(strict, "teacherOutputs: [], compute: () => 5"),
        'Cannot use what compute of the loss "mine" returns: expected a scalar tensor of shape [], got number',
      ],
    ];
    for (const [text, says] of cases) {
      const name = `plugin_${crypto.randomUUID()}.js`;
      await Deno.writeTextFile(join(folder, name), text);
      const recipe = tinyRecipe.replace("[{ use: cross-entropy }]", `\n  - use: cross-entropy\n  - use: ./${name}`);
      await assert.rejects(
        tinyRun(folder, { text: recipe, overrides: ["train.epochs=1", "train.maxSteps=2"] }),
        said(`${join(folder, "tiny.yaml")}:16:5: ${says}`),
        says,
      );
    }
  }));

Deno.test("labels that are no classes are refused with the example, -1 too unless tokens are tagged", async () => {
  const label = (...values: number[]) => () => ({ label: { data: Float32Array.from(values), shape: [values.length] } });
  const loading = async (task: Task, split: Partial<Record<keyof Examples, unknown>>) => {
    const input = { ...loaded.input, task, classes: task === "regression" ? [] : ["no", "yes"] };
    const own = { length: 2, labels: null, ...split };
    const test = task === "multi-label" ? { ...examples, labels: null } : examples;
    const { train } = (await load({ load: () => ({ input, splits: { train: own, test } }) })).splits;
    return train.batch(Uint32Array.of(1, 0));
  };
  const refusal = (what: string, right: string) =>
    said(`Cannot use the data set "words": the label ${what} of its split train is not ${right}`);
  const classes = "the number of one of its 2 classes, from 0";
  const batch = label(0, 1);
  assert.deepEqual(await loading("classification", { labels: Uint8Array.of(0, 1), batch }), batch());
  await assert.rejects(
    loading("classification", { labels: Int8Array.of(0, -1), batch }),
    refusal("-1 of example 1", classes),
  );
  await assert.rejects(loading("classification", { labels: [0, 2], batch }), refusal("2 of example 1", classes));
  await assert.rejects(loading("classification", { batch: label(-1, 0) }), refusal("-1 of example 1", classes));
  await assert.rejects(loading("classification", { batch: label(0, 0.5) }), refusal("0.5 of example 0", classes));
  await assert.rejects(loading("classification", { batch: label(NaN, 0) }), refusal("NaN of example 1", classes));
  assert.deepEqual(await loading("tagging", { batch: label(-1, 1) }), label(-1, 1)());
  const tags = `${classes}, or -1 where none counts`;
  await assert.rejects(loading("tagging", { batch: label(-2, 1) }), refusal("-2 of example 1", tags));
  assert.deepEqual(await loading("regression", { batch: label(-1, 0.5) }), label(-1, 0.5)());
  await assert.rejects(
    loading("regression", { batch: label(0, Infinity) }),
    refusal("Infinity of example 0", "a finite number"),
  );
  const flags = (...values: number[]) => () => ({ label: { data: Float32Array.from(values), shape: [2, 2] } });
  assert.deepEqual(await loading("multi-label", { batch: flags(0, 1, 1, 1) }), flags(0, 1, 1, 1)());
  await assert.rejects(loading("multi-label", { batch: flags(0, 1, 2, 1) }), refusal("2 of example 0", "0 or 1"));
  await assert.rejects(
    loading("multi-label", { batch }),
    said(
      'Cannot use what batch of the data set "words" returns: expected a label of shape [2, 2], a 0 or a 1 for each ' +
        "class, got [2]",
    ),
  );
  const split = (must: string) => said(`Cannot use the data set "words": its split train must ${must}`);
  await assert.rejects(
    loading("multi-label", { labels: Uint8Array.of(0, 1), batch: flags(0, 1, 1, 1) }),
    split("have null as its labels, as an example is of several classes: a batch's label has them"),
  );
  await assert.rejects(
    loading("classification", { labels: Uint8Array.of(0), batch }),
    split("have 2 labels, one for each example, not 1"),
  );
  await assert.rejects(
    loading("classification", { length: "2", batch }),
    split('have a length that is a number of examples, not "2"'),
  );
  const returned = (rest: string) => said(`Cannot use what batch of the data set "words" returns: ${rest}`);
  await assert.rejects(
    loading("classification", { batch: label(0) }),
    returned('expected 2 examples, got "label" of shape [1]'),
  );
  await assert.rejects(loading("classification", { batch: () => ({}) }), returned("it has no label"));
  const tensors = "expected { name: { data: Float32Array, shape: [...] } }";
  await assert.rejects(loading("classification", { batch: () => 5 }), returned(`${tensors}, got 5`));
  await assert.rejects(
    loading("classification", { batch: () => ({ label: { data: [0, 1], shape: [2] } }) }),
    returned(`${tensors}, got [0,1] as the data of "label"`),
  );
  await assert.rejects(
    loading("classification", { batch: () => ({ label: { data: new Float32Array(2), shape: [3] } }) }),
    returned(`${tensors}, got 2 numbers as "label" of shape [3]`),
  );
  await assert.rejects(
    loading("classification", { batch: () => ({ label: { data: new Float32Array(2), shape: 2 } }) }),
    returned(`${tensors}, got 2 as the shape of "label"`),
  );
});

Deno.test("what a data set says of missing labels must be one thing in its lists and in its batches", async () => {
  const tensor = (...values: number[]) => ({ data: Float32Array.from(values), shape: [values.length] });
  const labelled = Uint8Array.of(1, 0);
  const loading = async (split: Record<string, unknown>, task: Task = "classification") => {
    const input = { ...loaded.input, task, classes: task === "regression" ? [] : ["no", "yes"] };
    const own = { length: 2, labels: null, batch: () => ({}), ...split };
    const { train } = (await load({ load: () => ({ input, splits: { train: own, test: examples } }) })).splits;
    return train.batch(Uint32Array.of(0, 1));
  };
  const good = { label: tensor(1, -1), labelled: tensor(1, 0) };
  assert.deepEqual(await loading({ labelled, labels: Int32Array.of(1, -1), batch: () => good }), good);
  const number = { label: tensor(0.5, 0), labelled: tensor(1, 0) };
  assert.deepEqual(await loading({ labelled, batch: () => number }, "regression"), number);
  const refused = (split: Record<string, unknown>, message: string, task?: Task) =>
    assert.rejects(() => loading(split, task), { name: "UserError", message });
  const who = 'Cannot use the data set "words": its split train must';
  await refused(
    { labelled: [1, 0] },
    `${who} have labelled, a Uint8Array of a 1 or a 0 for each of its 2 examples, or not have it`,
  );
  await refused(
    { labelled: Uint8Array.of(1) },
    `${who} have labelled, a Uint8Array of a 1 or a 0 for each of its 2 examples, or not have it`,
  );
  const batch = 'Cannot use what batch of the data set "words" returns: expected';
  await refused(
    { labelled, batch: () => ({ label: tensor(1, -1) }) },
    `${batch} labelled with the split's marks, got none`,
  );
  await refused(
    { batch: () => ({ label: tensor(1, 0), labelled: tensor(1, 0) }) },
    `${batch} no labelled, which the split has not, got others`,
  );
  const made = { label: tensor(1, 0), labelled: tensor(1, 0) };
  await refused(
    { labelled, batch: () => made },
    'Cannot use the data set "words": the label 0 of example 1 of its split train is not -1, though labelled says that it has none',
  );
});
