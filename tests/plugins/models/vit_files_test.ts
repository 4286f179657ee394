import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { writeModelFolder } from "../../../core/model_folder/write_folder.ts";
import { type ReadingOptions, readModelWeights } from "../../../core/model_folder/read_weights.ts";
import { readModelFolder } from "../../../core/model_folder/read_folder.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import type { Model } from "../../../core/plugin/model.ts";
import { readSafetensors, type TensorToStore, toFloat32, writeSafetensors } from "../../../core/safetensors.ts";
import { bicubic, type Grid } from "../../../plugins/models/vit/bicubic.ts";
import { vit } from "../../../plugins/models/vit/vit.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { assertClose } from "../../support/numbers.ts";
import { assertRelative } from "./resnet_fixture.ts";
import {
  buildTransformer,
  fixture,
  images,
  inFolder,
  optionsOf,
  type TransformerName,
  transformers,
} from "./vit_fixture.ts";

const names = Object.keys(transformers) as TransformerName[];

/** Tensors of a fixture by name, as numbers. */
async function numbersOf(name: string): Promise<Map<string, TensorToStore & { readonly data: Float32Array }>> {
  const { tensors } = await readSafetensors(fixture(`${name}.safetensors`));
  return new Map([...tensors].map(([key, tensor]) => [key, { shape: tensor.shape, data: toFloat32(tensor) }]));
}

/** A folder with the fixture's numbers, and the config.json that is given. */
async function writeFolder(folder: string, name: TransformerName, config: unknown): Promise<void> {
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(config));
  await Deno.copyFile(fixture(`${name}.safetensors`), join(folder, "model.safetensors"));
}

const configOf = async (name: TransformerName) => JSON.parse(await Deno.readTextFile(fixture(`${name}.json`)));

/** The fixture's model for images of another size. */
async function sized(name: TransformerName, size: readonly [number, number, number], options = {}): Promise<Model> {
  return vit.build(vit.fromConfig!(await configOf(name), optionsOf(options)), images(size));
}

Deno.test("bicubic interpolation of a grid gives PyTorch's numbers", async () => {
  const tensors = await numbersOf("resized");
  const cases = [...tensors.keys()].filter((key) => key.endsWith(".from")).map((key) => key.slice(0, -".from".length));
  assert.equal(cases.length, 6);
  for (const name of cases) {
    const [from, to] = ["from", "to"].map((part) => tensors.get(`${name}.${part}`)!);
    const grid = ({ shape: [rows, columns] }: TensorToStore): Grid => [rows, columns];
    assertClose(bicubic(from.data, grid(from), grid(to), 3), to.data, 1e-6, name);
    assert.deepEqual(bicubic(from.data, grid(from), grid(from), 3), from.data, "the same grid changes nothing");
  }
});

testBackends("a DeiT for images of another size gives the logits of Hugging Face's transformers", async (backend) => {
  const ops = createOps(backend);
  const expected = await numbersOf("resized");
  const model = await sized("deit", [12, 20, 1]);
  const lines: string[] = [];
  const report = (line: string) => void lines.push(line);
  const weights = await readModelWeights(fixture("deit.safetensors"), model, "teacher", { report });
  assert.deepEqual(lines, ["teacher: position embeddings of 2 x 2 patches are interpolated to 3 x 5"]);
  const image = expected.get("deit.image")!;
  const { logits } = model.forward({
    ops,
    weights: weightsFrom(
      new Map(model.parameters.map(({ name, shape }) => [name, ops.tensor(weights.get(name)!, shape)])),
    ),
    batch: { image: ops.tensor(image.data, image.shape) },
    training: false,
    randomSeed: () => 0,
  });
  assertRelative(await logits.read(), expected.get("deit.logits")!.data, 1e-5, "logits");
}, [float64, ...backends]);

Deno.test("the grid of a file is what its config.json says, and the tokens' rows stay", () =>
  inFolder(async (folder) => {
    const positions = "vit.embeddings.position_embeddings";
    const stored = (await numbersOf("vit")).get(positions)!.data; // 1 + 3 x 2 rows of 12
    const read = async (size: readonly [number, number, number], options: ReadingOptions = {}) =>
      (await readModelWeights(folder, await sized("vit", size), "student", options)).get(positions)!;
    const expected = (to: Grid) => [...stored.slice(0, 12), ...bicubic(stored.slice(12), [3, 2], to, 12)];
    const config = await configOf("vit");
    await writeFolder(folder, "vit", config);
    assert.deepEqual([...await read([9, 6, 3])], [...stored]);
    assert.deepEqual([...await read([12, 21, 3])], expected([4, 7]));
    assert.deepEqual([...await read([3, 6, 3])], expected([1, 2]));
    assert.deepEqual([...await read([6, 9, 3])], expected([2, 3]), "as many patches in another grid");
    // A config that is of other images than the file says nothing; six patches are no square.
    await writeFolder(folder, "vit", { ...config, image_size: 12 });
    assert.deepEqual([...await read([6, 9, 3])], [...stored], "as many patches: taken as they are");
    await assert.rejects(read([12, 21, 3]), {
      name: "UserError",
      message: /shapes differ: vit\.embeddings\.position_embeddings is \[1, 7, 12\], expected \[1, 29, 12\]$/,
    });
  }));

Deno.test("a model of resized positions is saved with its own image_size, and read again as it is", () =>
  inFolder(async (folder) => {
    for (const options of [{}, { qkv: "fused" }]) {
      const model = await sized("deit", [4, 12, 1], options);
      const weights = await readModelWeights(fixture("deit.safetensors"), model, "student");
      const data = images([4, 12, 1]);
      await writeModelFolder(folder, "vit", model, data, weights);
      assert.deepEqual(model.config.image_size, [4, 12]);
      const lines: string[] = [];
      const saved = await readModelFolder(folder, [vit], data, (line) => void lines.push(line));
      assert.deepEqual([saved.weights, lines], [weights, []]);
    }
  }));

/** Names of the tensors of a file, sorted. */
async function namesIn(file: string): Promise<string[]> {
  return [...(await readSafetensors(file)).tensors.keys()].sort();
}

for (const name of names) {
  Deno.test(`${name}: fused or split, a model reads files of both forms and writes Hugging Face's`, () =>
    inFolder(async (folder) => {
      const [split, fused] = [await buildTransformer(name), await buildTransformer(name, { qkv: "fused" })];
      const file = fixture(`${name}.safetensors`);
      const apart = await readModelWeights(file, split, "student");
      const together = await readModelWeights(file, fused, "student");
      assert.equal(together.size, apart.size - 2 * 4);
      for (const [key, values] of together) {
        const sources = key.includes(".qkv.")
          ? ["query", "key", "value"].map((part) => key.replace(".qkv.", `.${part}.`))
          : [key];
        assert.deepEqual([...values], sources.flatMap((source) => [...apart.get(source)!]), key);
      }
      // A file of the fused form, as other programs write it.
      const tensors = new Map(fused.parameters.map(({ name, shape }) => [name, { shape, data: together.get(name)! }]));
      await writeSafetensors(join(folder, "fused.safetensors"), tensors);
      assert.deepEqual(await readModelWeights(join(folder, "fused.safetensors"), split, "teacher"), apart);
      assert.deepEqual(await readModelWeights(join(folder, "fused.safetensors"), fused, "teacher"), together);

      await writeModelFolder(folder, "vit", fused, images(transformers[name]), together);
      assert.deepEqual(await namesIn(join(folder, "model.safetensors")), await namesIn(file));
      const saved = await readModelFolder(folder, [vit], images(transformers[name]));
      assert.deepEqual(saved.model.parameters, fused.parameters, "it is read as what it was");
      assert.deepEqual(saved.weights, together);
      assert.deepEqual(fused.config.architectures, split.config.architectures);
    }));
}

Deno.test("query, key and value that do not make one matrix are refused by name", () =>
  inFolder(async (folder) => {
    const fused = await buildTransformer("vit", { qkv: "fused" });
    const file = join(folder, "model.safetensors");
    const first = "vit.encoder.layer.0.attention.attention.";
    const refused = async (change: (tensors: Map<string, TensorToStore>) => void, message: RegExp) => {
      const tensors: Map<string, TensorToStore> = await numbersOf("vit");
      change(tensors);
      await writeSafetensors(file, tensors);
      await assert.rejects(readModelWeights(file, fused, "student"), { name: "UserError", message });
    };
    await refused(
      (tensors) => tensors.delete(`${first}key.bias`),
      /lacks 1 of \d+ tensors: .*layer\.0\..*\.qkv\.bias;/,
    );
    await refused(
      (tensors) => tensors.set(`${first}key.bias`, { shape: [2], data: new Float32Array(2) }),
      /lacks 1 of \d+ tensors: .*layer\.0\..*\.qkv\.bias;/,
    );
    await refused(
      (tensors) => tensors.set(`${first}qkv.weight`, { shape: [36, 12], data: new Float32Array(432) }),
      /3 of its tensors have no place in this one: .*query\.weight/,
    );
  }));
