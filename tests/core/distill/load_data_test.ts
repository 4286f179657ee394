import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import type { Dataset, Examples } from "../../../core/plugin/dataset.ts";
import { Random } from "../../../core/data/random.ts";
import { describeValidation, divide, loadData, subset } from "../../../core/distill/load_data.ts";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { withFileServer } from "../../support/file_server.ts";

const hash = "0123456789abcdef".repeat(4);

async function load(dataset: string): Promise<unknown> {
  const text = `
name: data
dataset:
${dataset}
student: { use: resnet, depth: 8 }
losses: [{ use: cross-entropy }]
train: { epochs: 1 }
`;
  const recipe = parseChecked(text, "data.yaml", recipeSchema);
  return loadData(recipe, (await resolvePlugins(recipe, builtins)).dataset, new Random(0));
}

Deno.test("a file that cannot be downloaded is told with the data set's place in the recipe", () =>
  withFileServer({}, async ({ url, requests }) => {
    const datasets = {
      idx: `  use: idx\n  train: { images: { url: "${url("/idx")}", sha256: ${hash} } }`,
      cifar: `  use: cifar\n  train: [{ url: "${url("/cifar")}", sha256: ${hash} }]\n  test: [test.bin]`,
    };
    for (const [name, dataset] of Object.entries(datasets)) {
      await assert.rejects(load(dataset), {
        name: "UserError",
        message: `data.yaml:4:3: Cannot download "${
          url(`/${name}`)
        }" as the server answers 404 Not Found: check the address`,
      });
    }
    assert.deepEqual(requests, ["/idx", "/cifar"]);
  }));

Deno.test("a missing file is told with the data set's place in the recipe", () =>
  assert.rejects(load("  use: idx\n  folder: no-such-folder"), {
    name: "UserError",
    message:
      /^data\.yaml:4:3: Cannot read the images ".*train-images-idx3-ubyte\.gz" as there is no such file or folder$/,
  }));

Deno.test("a URL for the whole folder is refused with what to write instead", () =>
  assert.rejects(load("  use: idx\n  folder: https://example.org/mnist"), {
    name: "UserError",
    message: "data.yaml:5:11: Cannot take a URL for the folder: name each file in it as { url: …, sha256: … }",
  }));

/** Examples of their own numbers, of which only those that were fetched are there. */
function streamed(length: number, begin: number): Examples {
  let there: number[] = [];
  return {
    length,
    labels: Uint8Array.from({ length }, (_, index) => index % 2),
    fetch: (indices) => Promise.resolve(void (there = [...indices])),
    batch(indices) {
      assert.ok(indices.every((index) => there.includes(index)), "fetched before");
      const data = Float32Array.from(indices, (index) => begin + index);
      return { image: { data, shape: [indices.length, 1, 1, 1] }, label: { data, shape: [indices.length] } };
    },
  };
}

const dataset: Dataset = {
  input: {
    task: "classification",
    classes: ["a", "b"],
    image: { size: [1, 1, 1], normalise: { mean: [0], std: [1] } },
    text: null,
  },
  splits: { train: streamed(20, 0), test: streamed(6, 100), val: streamed(8, 200) },
};

function divided(validation: string, rest = "", data = dataset) {
  const text = `
name: data
dataset: { use: idx }
validation: ${validation}
student: { use: resnet, depth: 8 }
losses: [{ use: cross-entropy }]
train: { epochs: 1, batchSize: 4${rest} }
`;
  return divide(parseChecked(text, "data.yaml", recipeSchema), data, {}, new Random(0));
}

async function allOf(examples: Examples): Promise<number[]> {
  const indices = Uint32Array.from({ length: examples.length }, (_, index) => index);
  await examples.fetch!(indices);
  return [...examples.batch(indices).image.data];
}

Deno.test("examples that are taken out are fetched by their own numbers", async () => {
  const { train, validation } = divided("{ fraction: 0.3 }");
  const [kept, held] = [await allOf(train), await allOf(validation!)];
  assert.deepEqual([...kept, ...held].sort((a, b) => a - b), Array.from({ length: 20 }, (_, index) => index));
  assert.deepEqual(await allOf(subset(dataset.splits.val, Uint32Array.of(7, 3))), [207, 203]);
  const told: number[] = [];
  const ahead = (indices: Uint32Array) => Promise.resolve(void told.push(...indices));
  const of = { ...dataset.splits.val, ahead };
  await subset(of, Uint32Array.of(7, 3, 5)).ahead!(Uint32Array.of(2, 0));
  assert.deepEqual(told, [5, 7]);
});

Deno.test("validation is the whole of another split by the fraction 1, but not of the training examples", async () => {
  const { train, validation } = divided("{ from: val, fraction: 1 }");
  assert.deepEqual([train.length, await allOf(validation!)], [20, [200, 201, 202, 203, 204, 205, 206, 207]]);
  assert.throws(() => divided("{ fraction: 1 }"), {
    message: /Cannot take 20 validation examples from the 20 of "train"$/,
  });
  assert.throws(() => divided("{ from: val, count: 9 }"), { message: /Cannot take 9 validation examples from the 8/ });
  // What is validated by labels leaves out examples without one, which may be learned from.
  const partly = (examples: Examples) => ({
    ...examples,
    labelled: Uint8Array.from({ length: examples.length }, (_, index) => index % 4 === 0 ? 0 : 1),
  });
  const { train: own, val, test } = { ...dataset.splits };
  const some = { ...dataset, splits: { train: partly(own), val: partly(val), test } };
  const labelled = divided("{ from: val, fraction: 1 }", "", some);
  assert.deepEqual([labelled.train.length, await allOf(labelled.validation!)], [20, [201, 202, 203, 205, 206, 207]]);
  const unlabelled = divided("{ fraction: 1 }", "", some);
  assert.deepEqual([unlabelled.validation!.length, await allOf(unlabelled.train)], [15, [0, 4, 8, 12, 16]]);
});

Deno.test("whole steps are asked for of what is left, batches that are accumulated included", () => {
  assert.equal(divided("null", ", accumulate: 5, dropLast: true").train.length, 20);
  assert.throws(() => divided("null", ", accumulate: 6, dropLast: true"), {
    message: /Cannot make one whole step of 6 batches of 4 from 20 training examples: dropLast leaves none$/,
  });
  assert.throws(
    () => divided("null", ", dropLast: true", { ...dataset, splits: { ...dataset.splits, train: streamed(3, 0) } }),
    {
      message: /Cannot make one whole batch of 4 from 3 training examples: dropLast leaves none$/,
    },
  );
});

Deno.test("validation examples that were drawn and lack a class are told; a split of the data set says it itself", () => {
  const examples = (...labels: number[]): Examples => ({
    length: labels.length,
    labels: Int32Array.from(labels),
    batch: () => ({}),
  });
  const input = { task: "classification", classes: ["a", "b", "c"], image: null, text: null } as const;
  const [train, drawn, test] = [examples(0, 0, 1, 2), examples(0, 0), examples(0, 1)];
  const told = (validation: Examples | null, val: Examples = test, own = train) =>
    describeValidation({
      dataset: { input, splits: { train: own, test, val } },
      ...{ train: own, validation, test, sha256: {} },
    });
  assert.equal(
    told(drawn),
    'the validation examples that were drawn have none of "b" and "c": what training is watched by says nothing of that',
  );
  assert.equal(told(drawn, drawn), null);
  assert.equal(told(examples(0, 1, 2)), null);
  assert.equal(told(null), null);
  assert.equal(told(drawn, test, examples(0, 0)), null, "what is not learned is not missed");
});
