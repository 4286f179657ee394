import assert from "node:assert/strict";
import { join } from "node:path";
import "../../core/deno/install.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { builtins } from "../../plugins/builtins.ts";
import { lookAtData } from "../../tasks/init/look.ts";
import { withModelData } from "../../tasks/support/saved_model.ts";

/** A data set that counts how often it is closed. */
const CLOSING = `
const labels = Uint8Array.of(0, 1, 0, 1);
const batch = (indices) => ({
  image: { data: new Float32Array(indices.length * 64), shape: [indices.length, 8, 8, 1] },
  label: { data: Float32Array.from(indices, (index) => labels[index]), shape: [indices.length] },
});
const examples = { length: labels.length, labels, batch };
export default {
  kind: "dataset",
  name: "closing",
  description: "Black images",
  options: ({ z }) => z.strictObject({}),
  load: () =>
    Promise.resolve({
      input: {
        task: "classification",
        classes: ["left", "right"],
        image: { size: [8, 8, 1], normalise: { mean: [0], std: [1] } },
        text: null,
      },
      splits: { train: examples, test: { ...examples } },
      close: () => Promise.resolve(void globalThis.timesClosed++),
    }),
};
`;

const counter = globalThis as { timesClosed?: number };

Deno.test("data are closed once, whatever becomes of what is done with them", async () => {
  const folder = await Deno.makeTempDir();
  /** @returns how often the data set is closed meanwhile */
  const closed = async (body: () => Promise<unknown>) => {
    counter.timesClosed = 0;
    await body();
    return counter.timesClosed;
  };
  try {
    await Deno.writeTextFile(join(folder, "closing.ts"), CLOSING);
    await Deno.writeTextFile(join(folder, "config.json"), '{"id2label": {"0": "left", "1": "right"}}');
    const recipe = (validation: string) =>
      parseChecked(
        "name: closing\ndataset: { use: ./closing.ts }\nstudent: { use: resnet, depth: 8 }\n" +
          `losses: [{ use: cross-entropy }]\ntrain: { epochs: 1, batchSize: 2 }\nvalidation: ${validation}\n`,
        join(folder, "closing.yaml"),
        recipeSchema,
      );
    const load = (model: string, validation: string, body: () => Promise<void>) =>
      withModelData(model, recipe(validation), builtins, () => {}, async ({ data }) => {
        assert.equal(data.test.length, 4);
        assert.equal(counter.timesClosed, 0);
        await body();
      });
    assert.equal(await closed(() => load(folder, "null", () => Promise.resolve())), 1);
    const failing = () => Promise.reject(new Error("no memory"));
    assert.equal(await closed(() => assert.rejects(load(folder, "null", failing), /^Error: no memory$/)), 1);
    const other = join(folder, "other");
    await Deno.mkdir(other);
    await Deno.writeTextFile(join(other, "config.json"), '{"id2label": {"0": "up", "1": "down"}}');
    assert.equal(await closed(() => assert.rejects(load(other, "null", failing), /class/)), 1, "other classes");
    assert.equal(await closed(() => assert.rejects(load(folder, "{ count: 9 }", failing), /Cannot take 9/)), 1);
    assert.equal(await closed(() => lookAtData({ use: "./closing.ts" }, folder, "--data closing")), 1);
  } finally {
    delete counter.timesClosed;
    await Deno.remove(folder, { recursive: true });
  }
});
