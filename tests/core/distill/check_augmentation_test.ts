import assert from "node:assert/strict";
import { join } from "node:path";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";
import { recorder } from "../../support/run_observers.ts";

/** A data set of one column of bright pixels each, which augments nothing. */
const PLAIN = `export default {
  kind: "dataset", name: "plain", description: "x", options: ({ z }) => z.strictObject({}),
  load() {
    const batch = (indices) => ({
      image: {
        data: Float32Array.from({ length: indices.length * 64 }, (_, i) => i % 8 === indices[i >> 6] % 3 ? 1 : 0),
        shape: [indices.length, 8, 8, 1],
      },
      label: { data: Float32Array.from(indices, (i) => i % 3), shape: [indices.length] },
    });
    const examples = (length) => ({ length, labels: Uint8Array.from({ length }, (_, i) => i % 3), batch });
    return {
      input: {
        task: "classification", classes: ["a", "b", "c"], text: null,
        image: { size: [8, 8, 1], normalise: { mean: [0], std: [1] } },
      },
      splits: { train: examples(48), test: examples(12) },
    };
  },
};
`;

Deno.test("augmentation that a data set of images does not do is warned about, and one of texts is refused", async () => {
  await withTinyData(async (folder) => {
    await Deno.writeTextFile(join(folder, "plain.ts"), PLAIN);
    for (const name of ["t.tsv", "u.tsv"]) {
      await Deno.writeTextFile(join(folder, name), "text\tlabel\na b\tx\nc d\ty\n");
    }
    const start = tinyRecipe.indexOf("dataset:"), end = tinyRecipe.indexOf("student:");
    const withData = (dataset: string) => tinyRecipe.slice(0, start) + dataset + "\n" + tinyRecipe.slice(end);
    const warned = async (text: string, ...overrides: string[]) => {
      const { reporter, warnings } = recorder();
      await tinyRun(folder, { text, reporter, overrides: ["train.epochs=1", "validation.count=6", ...overrides] });
      return warnings.filter((line) => line.includes("augment"));
    };
    const plain = withData("dataset: { use: ./plain.ts }");
    assert.deepEqual(await warned(plain), []);
    assert.deepEqual(await warned(plain, "augment.shift=1"), [
      `the data set "./plain.ts" gives the same images with augment.shift as without: it does not do that`,
    ]);
    assert.deepEqual(await warned(tinyRecipe, "augment={ flip: true, randAugment: {} }"), []);
    const texts = withData("dataset: { use: text-table, train: t.tsv, test: u.tsv, maxLength: 8 }")
      .replace("validation: { count: 24 }", "validation: null");
    await assert.rejects(tinyRun(folder, { text: texts, overrides: ["augment.flip=true"] }), {
      name: "UserError",
      message: /Cannot augment the examples of "text-table": they are texts, and augment is for images/,
    });
  });
});

Deno.test("mixed images are learnt from by losses that know of them; any other is refused", () =>
  withTinyData(async (folder) => {
    const mixing = ["train.epochs=3", "augment={ mixup: 0.4, cutmix: 1 }"];
    const { warnings, reporter } = recorder();
    const summary = await tinyRun(folder, { overrides: mixing, reporter });
    const plain = await tinyRun(folder, { overrides: ["train.epochs=3"], output: "plain" });
    assert.deepEqual(warnings, []);
    assert.notEqual(summary.studentSha256, plain.studentSha256);
    const again = await tinyRun(folder, { overrides: [...mixing, "train.replay=false"], output: "again" });
    assert.equal(again.studentSha256, summary.studentSha256, "the same mixtures, replayed or not");
    const dkd = "losses=[{ use: cross-entropy }, { use: dkd }]";
    const teacher = "teacher={ use: resnet, weights: run/student }";
    await assert.rejects(tinyRun(folder, { overrides: [...mixing, dkd, teacher], output: "dkd" }), {
      name: "UserError",
      message:
        /Cannot use the loss "dkd" with augment\.mixup: it would take each mixed image for one of its first label/,
    });
    const weighted = "losses=[{ use: cross-entropy, classWeights: balanced }]";
    await assert.rejects(tinyRun(folder, { overrides: [...mixing, weighted], output: "weighted" }), {
      name: "UserError",
      message: /Cannot weight classes with augment\.mixup: a mixed image has two labels; set mixup to 0, or leave out/,
    });
    const cached = "teacher={ use: resnet, weights: run/student, cache: kept }";
    const kd = "losses=[{ use: kd }]";
    await assert.rejects(tinyRun(folder, { overrides: [...mixing, kd, cached], output: "kd" }), {
      message: /Cannot cache the teacher's outputs as augmentation \(.*\) changes the images in every epoch/,
    });
    // A look at what a run would be tells the same, and without that keeps none.
    const outputs = (overrides: string[]) => tinyRun(folder, { overrides, output: "dry", dry: true });
    await assert.rejects(outputs([...mixing, kd, cached]), { message: /Cannot cache the teacher's outputs/ });
    await outputs(["train.maxSteps=1", kd, cached]);
    await assert.rejects(Deno.stat(join(folder, "kept")), Deno.errors.NotFound);
  }));
