import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { z } from "zod";
import "../../../core/deno/install.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { baseFrom, parseRecipe, readRecipe, resolveFile } from "../../../core/recipe/recipe.ts";
import { recipeSchema, sharedKeys } from "../../../core/recipe/schema.ts";

const minimal = `name: small
dataset: { use: idx }
student:
  use: resnet
losses: [{ use: cross-entropy }]
train: { epochs: 5 }
`;
const parse = (text: string, overrides: string[] = []) => parseChecked(text, "r.yaml", recipeSchema, { overrides });

Deno.test("a minimal recipe shows every default", () => {
  assert.deepEqual(parse(minimal).value, {
    name: "small",
    seed: 0,
    backend: "auto",
    output: "runs/small",
    base: ".",
    dataset: { use: "idx" },
    validation: { from: "train", fraction: 0.1, count: null, stratify: true },
    subset: null,
    labelNoise: null,
    augment: {
      ...{ flip: false, shift: 0, crop: null, rotate: 0, jitter: 0, erase: 0 },
      ...{ randAugment: null, mixup: 0, cutmix: 0 },
    },
    teacher: null,
    student: { use: "resnet", weights: null, initialise: null, head: "keep", overParameterise: [], prune: null },
    losses: [{ use: "cross-entropy", weight: 1 }],
    train: {
      epochs: 5,
      maxSteps: null,
      batchSize: 128,
      accumulate: 1,
      dropLast: false,
      optimiser: { use: "sgd", learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 5e-4 },
      cores: { learningRateScale: 1, weightDecay: null, weightDecayTarget: "cores" },
      layerRates: [],
      schedule: { use: "cosine", final: 0, warmupSteps: 0, warmupEpochs: 0 },
      clipGradientNorm: "auto",
      bucketByLength: true,
      sampler: "shuffled",
      monitor: null,
      earlyStopping: null,
      restoreBest: false,
      logEvery: 10,
      precision: "f32",
      replay: true,
      diagnostics: null,
      theseus: null,
      lgtm: null,
      checkpointEvery: 1,
    },
    evaluate: { batchSize: 500, positiveClass: null, threshold: 0.5, train: false },
    card: { license: null, baseModel: null, dataset: null },
    log: { tensorboard: false },
    verify: { tolerance: 1e-3, probe: 256 },
    export: { onnx: false, manifest: false, keepFactors: false, rank: null, parameters: null },
  });
});

Deno.test("each part of a recipe is checked", () => {
  const known: [string, string][] = [
    ["name=a b", 'Expected a name of letters, digits, dots, hyphens and underscores for name: got "a b"'],
    ["seed=-1", "Expected an integer >= 0 and <= 4294967295 for seed: got -1"],
    ["backend=gpu", 'Expected auto, webgpu or cpu for backend: got "gpu", did you mean "webgpu"?'],
    ["losses=[]", "Expected a list of at least 1 entry for losses: got an empty list"],
    [
      "losses[0].weight=-1",
      "Expected a number >= 0 and <= 1000000000 or a map with from and to for losses[0].weight: got -1",
    ],
    ["losses[0].weight={from: 1}", 'Missing key "to" in losses[0].weight: expected a number >= 0 and <= 1000000000'],
    ["losses[0].weight={from: 1, to: 0, epoch: 2}", 'Unknown key "epoch" in losses[0].weight: did you mean "epochs"?'],
    [
      "losses[0].weight={from: 1, to: 0, epochs: 2, steps: 9}",
      "Expected only one of epochs and steps for the length of " +
      "the change: got both",
    ],
    ["augment.randAugment={ magnitude: 31 }", "Expected a magnitude below 31, the number of bins: got 31"],
    [
      "augment.randAugment={ operations: 0 }",
      "Expected an integer >= 1 and <= 16 for augment.randAugment.operations: got 0",
    ],
    ["validation={}", "Expected one of fraction and count: got neither"],
    ["validation={fraction: 0.1, count: 500}", "Expected one of fraction and count: got both"],
    ["train.optimiser={use: sgd, momentum: 0, nesterov: true}", "Expected a momentum > 0 for nesterov: got 0"],
    ["train.learningRate=1", 'Unknown key "learningRate" in train: it belongs in train.optimiser'],
    [
      "train.schedule={use: cosine, warmupSteps: 9, warmupEpochs: 1}",
      "Expected only one of warmupSteps and " +
      "warmupEpochs: got both",
    ],
    [
      "train.schedule={use: steps}",
      'Missing key "milestones" in train.schedule: expected a list of at least 1 entry, ' +
      "each a number > 0 and <= 1000000",
    ],
    [
      "train.clipGradientNorm=yes",
      'Expected auto, a number >= 1e-9 and <= 1000000000 or null for train.clipGradientNorm: got "yes"',
    ],
    ["student.overParameterise=[{layers: '*'}]", "Expected one of cores, rows and cols, or increaseRate: got none"],
    [
      "student.overParameterise=[{layers: '*', cores: 3, increaseRate: 2}]",
      "Expected one of cores, rows and cols, or " +
      "increaseRate: got cores as well as increaseRate",
    ],
    ["student.overParameterise=[{layers: '*', rows: [2, 3]}]", "Expected both rows and cols: got only rows"],
    [
      "student.overParameterise=[{layers: '*', rows: [2, 3], cols: [2, 3, 1]}]",
      "Expected as many factors in rows as in " +
      "cols: got 2 and 3",
    ],
    [
      "student.overParameterise=[{layers: '*', use: sum}]",
      "Expected kernels, their number, with use: sum: got none",
    ],
    [
      "student.overParameterise=[{layers: '*', use: majority, kernels: 2, cores: 3}]",
      "Expected cores with use: mpo alone: got use: majority",
    ],
    [
      "student.overParameterise=[{layers: '*', use: do-conv, gauge: left-canonical}]",
      "Expected gauge with use: mpo alone: got use: do-conv",
    ],
    [
      "student.overParameterise=[{layers: '*', use: do-conv, kernels: 2}]",
      "Expected kernels with use: sum and majority alone: got use: do-conv",
    ],
    [
      "student.overParameterise=[{layers: '*', cores: 3, kernels: 2}]",
      "Expected kernels with use: sum and majority alone: got use: mpo",
    ],
    [
      "student.overParameterise=[{layers: '*', use: svd}]",
      'Expected mpo, sum, do-conv or majority for student.overParameterise[0].use: got "svd"',
    ],
    [
      "student.overParameterise=[{layers: '*', use: sum, kernels: 65}]",
      "Expected an integer >= 1 and <= 64 or null for student.overParameterise[0].kernels: got 65, but no memory has " +
      "room for so many of each weight",
    ],
    [
      "student.overParameterise=[{layers: 3, cores: 3}]",
      "Expected a non-empty string or a list of at least 1 entry, " +
      "each a non-empty string for student.overParameterise[0].layers: got 3",
    ],
  ];
  for (const [override, expected] of known) {
    assert.throws(() => parse(minimal, [override]), { name: "UserError", message: `--set ${override}: ${expected}` });
  }
});

Deno.test("an optimiser and a schedule that are not named are the default ones", () => {
  const { train } = parse(minimal, ["train.optimiser.learningRate=0.05", "train.schedule.warmupSteps=3"]).value;
  assert.deepEqual(train.optimiser, {
    use: "sgd",
    learningRate: 0.05,
    momentum: 0.9,
    nesterov: false,
    weightDecay: 5e-4,
  });
  assert.deepEqual(train.schedule, { use: "cosine", final: 0, warmupSteps: 3, warmupEpochs: 0 });
  assert.throws(() => parse(minimal, ["train.optimiser.betas=[0, 0]"]), {
    message: '--set train.optimiser.betas=[0, 0]: Unknown key "betas" in train.optimiser (use: sgd): expected use, ' +
      "learningRate, momentum, nesterov or weightDecay",
  });
  assert.throws(() => parse(minimal, ["train.optimiser.use=adm"]), {
    message: '--set train.optimiser.use=adm: Expected sgd or adamw for train.optimiser.use: got "adm"',
  });
  assert.throws(() => parse(minimal, ["train.optimiser.use=null"]), {
    message: "--set train.optimiser.use=null: Expected sgd or adamw for train.optimiser.use: got null",
  });
});

Deno.test("RandAugment is torchvision's where the recipe says no more", () => {
  const { augment } = parse(minimal, ["augment.randAugment={}"]).value;
  assert.deepEqual(augment.randAugment, { operations: 2, magnitude: 9, bins: 31 });
});

Deno.test("what goes by validation needs validation", () => {
  const overrides = ["train.earlyStopping={}", "train.restoreBest=true"];
  assert.deepEqual(parse(minimal, overrides).value.train.earlyStopping, { patience: 5, minDelta: 0 });
  assert.throws(() => parse(minimal + "validation: null\n", overrides), {
    message:
      "--set train.earlyStopping={}: Cannot use earlyStopping as it goes by validation examples: validation is null\n" +
      "--set train.restoreBest=true: Cannot use restoreBest as it goes by validation examples: validation is null",
  });
});

Deno.test("a misspelt shared key is found when the plug-in checks its options", () => {
  const checked = parse(minimal.replace("use: resnet", "use: resnet\n  depth: 8\n  overParametrise: []"));
  assert.throws(() => checked.check(["student"], z.strictObject({ depth: z.int() }), sharedKeys.student), {
    message: 'r.yaml:6:3: Unknown key "overParametrise" in student (use: resnet): did you mean "overParameterise"?',
  });
});

Deno.test("the keys that plug-ins share are those of the schema", () => {
  const trained = ["use", "integrity", "weights", "classes", "tokenizer", "normalise", "imageSize", "share"];
  assert.deepEqual(sharedKeys, {
    dataset: ["use", "integrity"],
    teacher: [...trained, "others", "onPoorTeacher", "cache", "keep"],
    otherTeacher: trained,
    student: ["use", "integrity", "weights", "initialise", "head", "overParameterise", "prune"],
    loss: ["use", "integrity", "weight"],
  });
});

Deno.test("a recipe is read from a file, and its files are relative to its base", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "recipes", "r.yaml");
    await Deno.mkdir(join(folder, "recipes"));
    await Deno.writeTextFile(file, minimal);
    const recipe = await readRecipe(file, { overrides: ["seed=3"] });
    assert.equal(recipe.value.seed, 3);
    assert.equal(resolveFile(recipe, "../teacher"), join(folder, "teacher"));
    assert.equal(resolveFile(recipe, join(folder, "x")), join(folder, "x"));

    const run = join(folder, "runs", "small");
    const base = baseFrom(recipe, run);
    assert.equal(base, "../../recipes");
    const copy = parseChecked(minimal, join(run, "recipe.yaml"), recipeSchema, { overrides: [`base=${base}`] });
    assert.equal(resolveFile(copy, "../teacher"), join(folder, "teacher"));
    assert.equal(baseFrom(copy, join(folder, "recipes")), ".");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a relative recipe's files are found from the working directory", () => {
  const recipe = parseChecked(minimal, "tasks/recipes/r.yaml", recipeSchema);
  assert.equal(resolveFile(recipe, "../data"), resolve("tasks/data"));
});

Deno.test("a recipe that is not there is refused by its name", async () => {
  await assert.rejects(readRecipe("no/such.yaml"), {
    name: "UserError",
    message: 'Cannot read the recipe "no/such.yaml" as there is no such file or folder',
  });
});

Deno.test("another kind of file is told by what runs it, not by what a recipe would have", () => {
  for (
    const [text, kind] of [
      ["rows: {}", '"rows" and is an experiment: deno task compare runs it'],
      ["base: x.yaml\nexperiments: []", '"experiments" and is a series of experiments: deno task compare runs it'],
      ["stages: {}\ntrain: 3", '"stages" and is a file of stages: deno task distill runs it'],
    ]
  ) {
    assert.throws(() => parseRecipe(text, "f.yaml"), { message: `Expected a recipe: "f.yaml" has ${kind}` });
  }
  assert.throws(() => parseRecipe(`${minimal}rows: [4, 4]`, "f.yaml"), /^UserError: f\.yaml:7:1: Unknown key "rows"/);
  assert.throws(() => parseRecipe("losses: []", "f.yaml"), /^UserError: f\.yaml:1:1: Missing key "name"/);
});
