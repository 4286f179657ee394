import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../../core/data/random.ts";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import type { Recipe } from "../../../core/recipe/schema.ts";
import { stringifyRecipe } from "../../../core/recipe/write_recipe.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { defaultSpace, type Ground } from "../../../tasks/tune/default_space.ts";
import { type Configuration, describeConfiguration, Space, Trials } from "../../../tasks/tune/space.ts";
import { describeLever, readSpace, withoutRefused } from "../../../tasks/tune/space_file.ts";
import { configured, readTuned } from "../../../tasks/tune/tuned_recipe.ts";
import { CHECKOUT } from "../../support/task.ts";

const ground = (lengths: readonly number[], classes = 10): Ground => ({
  lengths,
  data: { task: "classification", classes: Array.from({ length: classes }, (_, i) => `${i}`) },
});

/** A shipped recipe and its default space. */
async function shipped(name: string, own: Ground, set: Parameters<typeof readTuned>[1] = []) {
  const tuned = await readTuned(join(CHECKOUT, "tasks", "recipes", name), set);
  const recipe = tuned.row.recipe([]);
  await resolvePlugins(recipe, builtins);
  const base = { written: tuned.written, value: recipe.value };
  const file = defaultSpace(recipe.value, own);
  return { tuned, file, base, space: readSpace(stringifyRecipe(file), "space.yaml", base) };
}

Deno.test("the default space of the quickstart is what its recipe leaves open", async () => {
  const { space } = await shipped("quickstart.yaml", ground([20, 40]));
  assert.deepEqual(space.levers.map(describeLever), [
    "start: teacher mapped; teacher last, teacher first, fresh",
    "epochs: 10; 20, 40",
    "cores: 3 cores; none, 2 cores, 5 cores, sums of 2 kernels, DO-Conv",
    "losses: cross-entropy + kd + tensor-alignment; labels alone, logit-standardization for kd, dkd for kd",
    "learning rate (train.optimiser.learningRate): 0.2; 0.04 to 1",
    "rate of cores (train.cores.learningRateScale): 1; 0.1 to 3",
    "temperature of kd (losses[1].temperature): 4; 1 to 16",
    "weight of kd (losses[1].weight): 0.9; 0.18 to 4.5",
    "weight of tensor-alignment (losses[2].weight): 1; 0.1 to 100, or 0",
    "weight decay (train.optimiser.weightDecay): 0.0005; 0.00005 to 0.005, or 0".replace("0.00005", "0.00005"),
  ]);
  assert.deepEqual(space.levers.map(({ off }) => off).slice(0, 4), ["fresh", null, "none", "labels alone"]);
});

Deno.test("of two classes no loss is offered that they give nothing to, and of a recipe without chains no cores", async () => {
  const { space } = await shipped("mail.yaml", ground([], 2));
  const losses = space.levers.find(({ name }) => name === "losses")!;
  assert.ok(losses.kind === "choice");
  assert.deepEqual([...losses.options.keys()], ["labels alone"]);
  const bare = [{ path: ["student", "overParameterise"], value: [], label: "" }, {
    path: ["losses", 2],
    value: { use: "mse-logits" },
    label: "",
  }];
  const names = (await shipped("mail.yaml", ground([], 2), bare)).space.levers.map(({ name }) => name);
  assert.ok(!names.includes("cores") && !names.includes("rate of cores") && names.includes("weight of mse-logits"));
});

Deno.test("every configuration of a default space is a recipe, and the milestones of a schedule grow with it", async () => {
  const schedule = [{
    path: ["train", "schedule"],
    value: { use: "steps", milestones: [5, 8], warmupEpochs: 0.5 },
    label: "",
  }];
  for (const [name, set] of [["quickstart.yaml", schedule], ["vit.yaml", []]] as const) {
    const { tuned, space } = await shipped(name, ground([20]), [...set]);
    const trials = new Trials(space, 3);
    for (let trial = 0; trial < 10; trial++) {
      const recipe = configured(tuned, space, trials.at(trial)!, 7, "runs/there");
      await resolvePlugins(recipe, builtins);
      const { student, losses, seed, output, train } = recipe.value;
      assert.deepEqual([seed, output], [7, "runs/there"]);
      if (student.overParameterise.length === 0) assert.ok(losses.every(({ use }) => use !== "tensor-alignment"));
      if (train.epochs !== 20 || set.length === 0) continue;
      assert.deepEqual([Reflect.get(train.schedule, "milestones"), train.schedule.warmupEpochs], [[10, 16], 1]);
    }
  }
});

Deno.test("a longer training has the recipe's schedules over its length, save what its lever says itself", async () => {
  const schedule = { use: "steps", milestones: [5, 8], warmupEpochs: 0.5 };
  const weight = { from: 1, to: 0, epochs: 2 };
  const set = [["train", "schedule"], ["losses", 1, "weight"]].map((path, index) => {
    return { path, value: [schedule, weight][index], label: "" };
  });
  const { tuned, base } = await shipped("quickstart.yaml", ground([]), set);
  const space = readSpace(
    `levers:
  length: { choices: { long: { train: { epochs: 20, schedule: { milestones: [18] } } } } }
  warm-up: { key: train.schedule.warmupEpochs, values: [2] }
`,
    "mine.yaml",
    base,
  );
  const lengths = (configuration: Configuration) => {
    const { train: { schedule }, losses } = configured(tuned, space, configuration, 7, "runs/there").value;
    return [
      Reflect.get(schedule, "milestones"),
      schedule.warmupEpochs,
      Reflect.get(Object(losses[1].weight), "epochs"),
    ];
  };
  assert.deepEqual(lengths({ "warm-up": "2" }), [[5, 8], 2, 2]);
  assert.deepEqual(lengths({ length: "long", "warm-up": "2" }), [[18], 4, 4]);
});

Deno.test("draws are seeded, all different, within their ranges, and about half of the levers stay", async () => {
  const { space } = await shipped("quickstart.yaml", ground([20, 40]));
  const [trials, again, other] = [new Trials(space, 1), new Trials(space, 1), new Trials(space, 2)];
  const drawn = Array.from({ length: 200 }, (_, trial) => trials.at(trial)!);
  assert.deepEqual(drawn[0], {});
  assert.deepEqual([again.at(150), again.at(3)], [drawn[150], drawn[3]]);
  assert.notDeepEqual(other.at(1), drawn[1]);
  assert.equal(new Set(drawn.map((configuration) => JSON.stringify(configuration))).size, 200);
  const rates = drawn.flatMap(({ "learning rate": rate }) => rate === undefined ? [] : [Number(rate)]);
  assert.ok(rates.every((rate) => rate >= 0.04 && rate <= 1));
  assert.ok(rates.length > 75 && rates.length < 125, `${rates.length} of 200 moved`);
  // Evenly over the logarithm: half of them below the geometric mean.
  const low = rates.filter((rate) => rate < 0.2).length / rates.length;
  assert.ok(low > 0.35 && low < 0.65, `${low} below the middle`);
  const fresh = drawn.filter(({ start }) => start === "fresh").length;
  assert.ok(fresh > 10 && fresh < 45, `${fresh} of 200 without the teacher's layers: an eighth`);
  const decays = drawn.map((configuration) => configuration["weight decay"]);
  assert.ok(decays.includes(0), "off is drawn, too");
});

Deno.test("a lever that another one idles is left as it is", async () => {
  const { space } = await shipped("quickstart.yaml", ground([]));
  const settled = (configuration: Configuration) => space.normalised(configuration);
  assert.deepEqual(settled({ cores: "none", "rate of cores": 0.5, "weight of tensor-alignment": 3 }), {
    cores: "none",
  });
  assert.deepEqual(settled({ losses: "labels alone", "temperature of kd": 2 }), { losses: "labels alone" });
  assert.deepEqual(settled({ cores: "3 cores", "rate of cores": 1, "learning rate": 0.1 }), { "learning rate": 0.1 });
  assert.equal(describeConfiguration({}), "the recipe as it is");
  const both = space.normalised({ "learning rate": 0.1, start: "fresh" });
  assert.equal(describeConfiguration(both), "start: fresh, learning rate: 0.1");
});

Deno.test("what a recipe's models refuse goes from the space, with what hangs on it", async () => {
  const { file, base } = await shipped("quickstart.yaml", ground([20]));
  const refused = [
    { lever: "start", option: "fresh" },
    { lever: "cores", option: "none" },
    { lever: "epochs", option: "20" },
    { lever: "weight decay", option: null },
  ];
  const space = readSpace(stringifyRecipe(withoutRefused(file, refused)), "space.yaml", base);
  const byName = Object.fromEntries(space.levers.map((lever) => [lever.name, lever]));
  assert.ok(!("epochs" in byName) && !("weight decay" in byName));
  assert.deepEqual([byName.start.off, byName.cores.off], [null, null]);
  const [longer, less] = [[], [{ lever: "epochs", option: "20" }]].map((refused) =>
    readSpace(
      stringifyRecipe(withoutRefused(defaultSpace(base.value as Recipe, ground([20, 40])), refused)),
      "s.yaml",
      base,
    )
      .levers.find(({ name }) => name === "epochs")!
  );
  assert.deepEqual([longer.against, less.against], ["20", undefined]);
  assert.deepEqual(byName["rate of cores"].unless, {});
  assert.deepEqual(byName["temperature of kd"].unless, { losses: ["labels alone"] });
});

Deno.test("a space file of the user's: three forms, in the order of the file", async () => {
  const { base } = await shipped("quickstart.yaml", ground([]));
  const text = `levers:
  batch: { key: train.batchSize, values: [64, 128, 256] }
  momentum: { key: train.optimiser.momentum, from: 0.5, to: 0.95, scale: linear, off: 0, unless: { batch: 64 } }
  flips: { choices: { none: { augment: { flip: false } } }, off: none }
`;
  const space = readSpace(text, "mine.yaml", base);
  assert.deepEqual(space.levers.map(describeLever), [
    "batch: 128; 64, 256",
    "momentum (train.optimiser.momentum): 0.9; 0.5 to 0.95, or 0",
    "flips: as it is; none",
  ]);
  assert.deepEqual(space.normalised({ batch: "64", momentum: 0.6 }), { batch: "64" });
  assert.deepEqual(space.overrides({ flips: "none", batch: "64" }).map(({ path, value }) => [path, value]), [
    [["train", "batchSize"], 64],
    [["augment", "flip"], false],
  ]);
  const one = new Space(space.levers.slice(0, 1));
  assert.deepEqual(Object.keys(one.sample(new Random(3))).every((name) => name === "batch"), true);
});

Deno.test("a mistake in a space file is told with its place", async () => {
  const { base } = await shipped("quickstart.yaml", ground([]));
  const refused = (line: string, words: string) =>
    assert.throws(() => readSpace(`levers:\n  a: ${line}\n`, "mine.yaml", base), (error: Error) => {
      assert.equal(error.name, "UserError");
      assert.ok(error.message.startsWith("mine.yaml:2:") && error.message.includes(words), error.message);
      return true;
    });
  refused("{ key: train.epochs }", "Expected one of key with from and to, key with values, or choices");
  refused("{ key: train.epochs, from: 3 }", "Expected both from and to");
  refused("{ key: train.epochs, from: 3, to: 2 }", "Expected a number above from: got 2");
  refused("{ key: train.epochs, from: 0, to: 2 }", "Expected a number above 0 with scale: log: got 0");
  refused("{ values: [1] }", "Expected key: it says what is changed");
  refused("{ key: train.epochs, values: [10] }", "Expected a value beside the recipe's own, 10: got none");
  refused("{ key: train.epoch, values: [20] }", "Cannot change train.epoch as the recipe has no such value");
  refused("{ key: student.use, from: 1, to: 2 }", "Cannot take student.use from a range as the recipe's own is resnet");
  refused("{ key: train.epochs, values: [20], off: 30 }", 'Unknown position "30" of the lever "a": expected 10 or 20');
  refused("{ key: train.epochs, values: [20], unless: { b: 1 } }", 'Unknown lever "b": expected one before this one');
  refused("{ key: train.epochs, valuess: [20] }", 'Unknown key "valuess"');
  assert.throws(() => readSpace("levers: {}\n", "mine.yaml", base), /Expected at least one lever: got an empty map/);
});
