import assert from "node:assert/strict";
import { join } from "node:path";
import { CpuBackend } from "../../../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../../../core/data/random.ts";
import { Run } from "../../../../core/distill/run.ts";
import { rehearse } from "../../../../core/distill/training/rehearsal.ts";
import { UserError } from "../../../../core/errors.ts";
import type { Ops } from "../../../../core/ops/ops.ts";
import { parseChecked } from "../../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../../core/recipe/schema.ts";
import type { Tensor } from "../../../../core/tensor.ts";
import { builtins } from "../../../../plugins/builtins.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../../support/tiny_run.ts";

/** Losses that compare examples with each other, and some that do not. */
const LOSSES = [
  "kd",
  "dist",
  "relational",
  "similarity-preserving, pairs: [{ student: layer3, teacher: layer3 }]",
  "contrastive",
  "kernel-transfer",
  "logit-standardization",
  "dkd",
];

const withLoss = (loss: string) =>
  tinyRecipe.replace(
    "losses: [{ use: cross-entropy }]",
    `teacher: { use: resnet, depth: 8, width: 4, weights: teacher/student }\nlosses: [{ use: ${loss} }]`,
  );

async function withTeacher(body: (folder: string) => Promise<void>): Promise<void> {
  await withTinyData(async (folder) => {
    const overrides = ["train.epochs=1", "student.overParameterise=[]"];
    await tinyRun(folder, { output: "teacher", overrides });
    await body(folder);
  });
}

Deno.test("a last batch of one or two examples trains, or is refused before training with what to do", async () => {
  await withTeacher(async (folder) => {
    const outcomes: Record<string, string> = {};
    for (const loss of LOSSES) {
      for (const last of [1, 2]) {
        const overrides = [`train.batchSize=${72 - last}`, "train.epochs=1"];
        outcomes[`${loss} ${last}`] = await tinyRun(folder, { text: withLoss(loss), overrides }).then(
          ({ losses }) => Object.values(losses).every(Number.isFinite) ? "trains" : "is not finite",
          (error) => error instanceof UserError && /dropLast/.test(error.message) ? "refused" : String(error),
        );
      }
    }
    assert.deepEqual(Object.entries(outcomes).filter(([, outcome]) => !["refused", "trains"].includes(outcome)), []);
  });
});

Deno.test("an image whose statistics batch norm cannot take by itself is refused as a last batch, and as any", async () => {
  await withTinyData(async (folder) => {
    const small = ["student.depth=18", "student.stem=imagenet", "student.overParameterise=[]"]; // ends with 1x1
    const refused = (overrides: readonly string[], message: RegExp) =>
      assert.rejects(tinyRun(folder, { overrides: [...small, ...overrides] }), { name: "UserError", message });
    await refused(
      ["train.batchSize=71"],
      /Cannot train on the last batch of an epoch, 1 of 72 examples in batches of 71: .* set train\.dropLast to true/,
    );
    await refused(["train.batchSize=1"], /Cannot train on batches of 1: .* a larger batch is needed/);
    await tinyRun(folder, { overrides: [...small, "train.batchSize=71", "train.dropLast=true", "train.epochs=1"] });
  });
});

Deno.test("a loss that is not finite on one example alone is refused by its name", async () => {
  await withTinyData(async (folder) => {
    const file = join(folder, "spread.ts");
    await Deno.writeTextFile(file, SPREAD);
    const text = tinyRecipe.replace("{ use: cross-entropy }", "{ use: ./spread.ts }");
    const run = (batchSize: number) => tinyRun(folder, { text, overrides: [`train.batchSize=${batchSize}`] });
    await assert.rejects(run(71), {
      name: "UserError",
      message: /the loss "spread" is not a finite number there; set/,
    });
    await run(70);
  });
});

/** A loss over the distances of examples, of which one has none. */
const SPREAD = `export default {
  kind: "loss", name: "spread", description: "x", options: ({ z }) => z.strictObject({}),
  create: () => ({
    teacherOutputs: [],
    compute({ ops, student: { logits } }) {
      const count = logits.shape[0];
      return ops.scale(ops.mean(ops.square(logits)), count / (count - 1));
    },
  }),
};
`;

Deno.test("looking at the smallest batch changes nothing that training goes on with", async () => {
  await withTeacher(async (folder) => {
    const backend = await CpuBackend.create();
    const overrides = [{ path: ["output"], value: join(folder, "run"), label: "test" }, "train.batchSize=69"];
    const recipe = parseChecked(withLoss("contrastive"), join(folder, "tiny.yaml"), recipeSchema, { overrides });
    {
      using run = await Run.open(recipe, { backend, builtins });
      const { ops, student, losses, teacher, data: { train } } = run.parts;
      const all = [...student.stores().untrained.tensors.values(), ...losses.state.values()];
      assert.ok(all.length > 4, "there are running statistics and memory banks");
      const before = await read(ops, all);
      const { bytes } = backend.memory();
      await rehearse({ ops, student, teacher, losses, train, recipe: recipe.part("train"), random: new Random(1) });
      assert.deepEqual(await read(ops, all), before);
      assert.equal(backend.memory().bytes, bytes);
    }
    await backend.close();
  });
});

const read = async (ops: Ops, tensors: readonly Tensor[]) =>
  (await ops.read([...tensors])).map((numbers) => Float64Array.from(numbers));
