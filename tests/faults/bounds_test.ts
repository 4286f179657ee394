import assert from "node:assert/strict";
import { join } from "node:path";
import { chainProvider } from "../../core/overparameterise/mpo.ts";
import { tooLarge, trainingMemory } from "../../core/distill/student/memory_check.ts";
import { z } from "zod";
import { optionKit } from "../../core/plugin/kit.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { bounded } from "../../core/recipe/bounds.ts";
import { acceptedBy, type JsonSchema } from "../../core/recipe/expected.ts";
import { scheduled } from "../../core/recipe/scheduled.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { builtins } from "../../plugins/builtins.ts";
import { experimentSchema, seriesSchema } from "../../tasks/experiment/schema.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

Deno.test("numbers beyond a bound are refused once, with the bound and its reason, before anything is built", () =>
  withTinyData(async (folder) => {
    const kd = tinyRecipe.replace("student:", "teacher: { use: resnet, depth: 8, width: 4, weights: none }\nstudent:")
      .replace("cross-entropy }", "kd }");
    const temperature = "Expected a number >= 0.001 and <= 10000 or a map with from and to for losses[0].temperature";
    const both = "a softmax of logits over less leaves one class alone, and over more makes all alike";
    const cases: [set: string, says: string, text?: string][] = [
      [
        "student.overParameterise[0].cores=1000",
        "Expected an integer >= 1 and <= 64 or null for student.overParameterise[0].cores: got 1000, but more cores than " +
        "that only multiply identities",
      ],
      [
        "student.depth=6000002",
        "Expected an integer >= 8 and <= 2000 or null for student.depth: got 6000002, but the deepest that was ever trained has " +
        "1202 layers",
      ],
      [
        "student.width=1000000000",
        "Expected an integer >= 1 and <= 16384 or null for student.width: got 1000000000, but the last stage has four " +
        "times as many",
      ],
      [
        "seed=9007199254740993",
        "Expected an integer >= 0 and <= 4294967295 for seed: got 9007199254740992, but a seed has 32 bits",
      ],
      ["student.depth=3", "Expected an integer >= 8 and <= 2000 or null for student.depth: got 3"],
      ["losses[0].temperature=0", `${temperature}: got 0`, kd],
      ["losses[0].temperature=20000", `${temperature}: got 20000, but ${both}`, kd],
      [
        "augment.shift=1000000000",
        "Expected an integer >= 0 and <= 16384 for augment.shift: got 1000000000, but no image is larger",
      ],
      [
        "augment.shift=9",
        "Cannot shift images of 8 x 8 pixels by up to 9: expected at most 8, which leaves nothing of them",
      ],
      [
        "losses[0].temperature=1e-38",
        "Expected a number >= 0.001 and <= 10000 or a map with from and to for losses[0].temperature: got 1e-38, but a " +
        "softmax of logits over less leaves one class alone, and over more makes all alike",
        kd,
      ],
      [
        "losses[0].temperature={from: 4, to: 1e-38}",
        "Expected a number >= 0.001 and <= 10000 for losses[0].temperature.to: got 1e-38, but a softmax of logits over " +
        "less leaves one class alone, and over more makes all alike",
        kd,
      ],
    ];
    for (const [set, says, text] of cases) {
      await assert.rejects(tinyRun(folder, { text, overrides: [set] }), {
        name: "UserError",
        message: `--set ${set}: ${says}`,
      });
      await assert.rejects(Deno.stat(join(folder, "run")), Deno.errors.NotFound);
    }
  }));

const isFarthest = (bound: number) => Math.abs(bound) >= Number.MAX_SAFE_INTEGER;

/** The numbers of a schema that have no two bounds, or bounds without a reason that do not speak for themselves. */
function unboundedIn(schema: JsonSchema, path: string): string[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, reason } = schema;
  const inner: [string, JsonSchema | boolean | undefined][] = [
    ...Object.entries(schema.properties ?? {}),
    ["{}", schema.additionalProperties],
    ["[]", schema.items],
    ...[schema.prefixItems, schema.anyOf, schema.oneOf, schema.allOf].flatMap((parts = []) =>
      parts.map((part, index): [string, JsonSchema] => [String(index), part])
    ),
  ];
  const found = inner.flatMap(([key, part]) => typeof part === "object" ? unboundedIn(part, `${path}.${key}`) : []);
  // A number that is written out stands alone.
  if (schema.const !== undefined || schema.type !== "number" && schema.type !== "integer") return found;
  const [least, most] = [minimum ?? exclusiveMinimum ?? -Infinity, maximum ?? exclusiveMaximum ?? Infinity];
  const isPart = least >= 0 && most <= 1;
  // zod gives every integer the bounds of what is exact, which nobody chose.
  const chosen = (bound: number) => schema.type === "integer" ? !isFarthest(bound) : Number.isFinite(bound);
  const isBounded = chosen(least) && chosen(most) && (reason !== undefined || isPart);
  return isBounded ? found : [...found, path];
}

Deno.test("every number of recipes, experiments and built-in plug-ins has two bounds and their reason", () => {
  const plugins = [...builtins.model, ...builtins.loss, ...builtins.dataset];
  const schemas: [string, z.ZodType][] = [
    ["recipe", recipeSchema as z.ZodType],
    ["experiment", experimentSchema],
    ["series", seriesSchema],
    ...plugins.map((plugin): [string, z.ZodType] => [plugin.name, plugin.options(optionKit) as z.ZodType]),
  ];
  assert.deepEqual(schemas.flatMap(([name, schema]) => unboundedIn(acceptedBy(schema), name)), []);
  // The walk itself: it finds what stands in lists, maps, alternatives and schedules.
  const wrong = z.strictObject({
    a: z.number(),
    b: z.array(z.int()),
    c: z.union([z.string(), z.record(z.string(), z.number().min(0))]),
    d: scheduled(z.number().max(5)).default(1),
    e: z.tuple([z.number().min(2).max(3)]),
    f: z.number().positive().lt(1),
    g: bounded(z.int().min(1), "it is nowhere said"),
  });
  assert.deepEqual(unboundedIn(acceptedBy(wrong), ""), [
    ".a",
    ".b.[]",
    ".c.1.{}",
    ".d.0",
    ".d.1.from",
    ".d.1.to",
    ".e.0",
    ".g",
  ]);
});

Deno.test("a student that the backend cannot hold is refused with its parameters and bytes before it is built", () =>
  withTinyData((folder) =>
    assert.rejects(tinyRun(folder, { overrides: ["student.width=16384"] }), (error: Error) => {
      assert.match(
        error.message,
        /^.*tiny\.yaml:\d+:\d+: Cannot train a student of [\d,]+ parameters on cpu: weights, gradients and the optimiser's averages take at least [\d,.]+ GiB of at most 4 GiB; make it smaller, or over-parameterise it less$/,
      );
      return true;
    })
  ));

Deno.test("the estimate of what training takes counts cores, gradients and the optimiser's averages", () => {
  const weight = (name: string, shape: number[], trainable = true) => ({
    name,
    shape,
    trainable,
    initialise: undefined as never,
    overParameterisable: true,
  });
  const parameters = [weight("a", [4, 4]), weight("b", [10]), weight("c", [100], false), weight("frozen", [7])];
  // [1, 2, 2, 4] and [4, 2, 2, 1]: 16 + 16 numbers for the 16 of the matrix.
  const providers = new Map([["a", chainProvider({ rows: [2, 2], cols: [2, 2], gauge: "balanced" }, [4, 4])]]);
  const rates = new Map([["frozen", 0]]);
  const sgd = { use: "sgd", learningRate: 1, momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
  const adamw = { use: "adamw", learningRate: 1, betas: [0.9, 0.9], epsilon: 1, weightDecay: 0 } as const;
  const bytesWith = (optimiser: Parameters<typeof trainingMemory>[3]) =>
    trainingMemory({ parameters }, providers, rates, optimiser);
  assert.deepEqual(bytesWith(sgd), { numbers: 149, teacher: 0, bytes: 4 * (149 + 2 * 42) });
  assert.deepEqual(bytesWith({ ...sgd, momentum: 0 }), { numbers: 149, teacher: 0, bytes: 4 * (149 + 42) });
  assert.deepEqual(bytesWith({ ...adamw, betas: [...adamw.betas] }), {
    numbers: 149,
    teacher: 0,
    bytes: 4 * (149 + 3 * 42),
  });
  // A mask and the weight times it for each number of a; by movement the mask's gradient and its sum as well.
  for (const [learnsScores, each] of [[false, 2], [true, 4]] as const) {
    const pruned = { weights: new Set(["a"]), learnsScores };
    const { bytes } = trainingMemory({ parameters }, providers, rates, sgd, { pruned });
    assert.equal(bytes, 4 * (149 + 2 * 42 + each * 16));
  }
  // A teacher that learns has weights, gradients and averages, and so has the student one step ahead.
  const learning = { parameters: [weight("d", [3, 5]), weight("e", [2], false)] };
  const beside = trainingMemory({ parameters }, providers, rates, { ...adamw, betas: [...adamw.betas] }, { learning });
  assert.deepEqual(beside, { numbers: 149, teacher: 17, bytes: 4 * (149 + 3 * 42 + 4 * (42 + 17)) });
  assert.match(
    tooLarge({ ...beside, bytes: 2 ** 33 }, { name: "cpu" })!,
    /^Cannot train a student of 149 parameters and a teacher of 17 on cpu: /,
  );
});

Deno.test("keys that mean something to JavaScript are refused wherever they stand, by --set and in the file", () => {
  const read = (text: string, ...overrides: string[]) => () =>
    parseChecked(text, "recipe.yaml", recipeSchema, { overrides });
  for (
    const [path, place] of [["student.", " in student"], ["losses[0].", " in losses[0]"]]
  ) {
    const set = `${path}__proto__.depth=3`;
    assert.throws(read(tinyRecipe, set), {
      name: "UserError",
      message: `--set ${set}: Unknown key "__proto__"${place}: no key of a recipe has this name`,
    });
  }
  assert.throws(read(tinyRecipe.replace("width: 4", "width: 4\n  __proto__: { width: 5 }")), {
    name: "UserError",
    message: 'recipe.yaml:13:3: Unknown key "__proto__" in student: no key of a recipe has this name',
  });
  for (const key of ["__proto__", "constructor", "hasOwnProperty", "toString"]) {
    assert.throws(read(tinyRecipe, `train.${key}=3`), { name: "UserError", message: /Unknown key ".*" in train/ });
  }
  assert.equal(({} as { depth?: number }).depth, undefined);
});
