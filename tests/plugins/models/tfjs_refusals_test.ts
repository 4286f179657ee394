import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { tfjs } from "../../../plugins/models/tfjs/tfjs.ts";
import { cpu } from "../../support/backends.ts";
import { images, inFolder, openModel, saveGraph, saveLayers, smallNetwork, tf, tfl } from "./tfjs_fixture.ts";

interface Refusal {
  readonly what: string;
  readonly options?: object;
  readonly data?: InputDescription;
  /** Writes or damages the model; the small network is already there. */
  readonly change?: (folder: string) => Promise<unknown>;
  readonly says: RegExp;
}

const imagesOf = (...size: [number, number, number]): InputDescription => ({
  ...images,
  image: { ...images.image!, size },
});
const shard = (folder: string) => join(folder, "group1-shard2of2.bin");
const editModel = async (folder: string, edit: (json: Record<string, unknown>) => void) => {
  const file = join(folder, "model.json");
  const json = JSON.parse(await Deno.readTextFile(file));
  edit(json);
  await Deno.writeTextFile(file, JSON.stringify(json));
};
const zeros = (...shape: number[]) => ({ shape, values: new Array(shape.reduce((a, b) => a * b)).fill(0) });
const flatGraph = (folder: string, shape: number[], op = "Relu") =>
  saveGraph(folder, shape, { matrix: zeros(64, 3), sizes: { shape: [2], values: [-1, 64] } }, [
    { name: "flat", op: "Reshape", input: ["x", "sizes"] },
    { name: "scores", op: "MatMul", input: ["flat", "matrix"] },
    { name: "end", op, input: ["scores"] },
  ]);

const refusals: Refusal[] = [
  {
    what: "a folder without a model",
    change: (folder) => Deno.remove(join(folder, "model.json")),
    says: /^Cannot read the teacher's model\.json "\S+model\.json" as there is no such file/,
  },
  {
    what: "a model.json that is none",
    change: (folder) => Deno.writeTextFile(join(folder, "model.json"), "{"),
    says: /^Cannot read "\S+" as it is no JSON: /,
  },
  ...["../group1-shard1of2.bin", "/etc/passwd", "a/../../x", "", "group1-shard1of2.bin"].map((path): Refusal => ({
    what: `a manifest that lists "${path}" beside its own`,
    change: (folder) =>
      editModel(folder, ({ weightsManifest }) => {
        (weightsManifest as { paths: string[] }[])[0].paths[1] = path;
      }),
    says: /^Cannot read "\S+model\.json" as it lists the weights "\S*": expected a file of its folder, named once$/,
  })),
  {
    what: "a shard that is a symbolic link out of the folder",
    change: async (folder) => {
      await Deno.remove(shard(folder));
      await Deno.symlink(import.meta.filename!, shard(folder));
    },
    says:
      /^Cannot read "\S+" as it lists the weights "group1-shard2of2\.bin": expected a file of its folder, named once$/,
  },
  {
    what: "a layer of more units than the files have numbers",
    change: (folder) =>
      editModel(folder, ({ modelTopology }) => {
        const { config } = modelTopology as { config: { layers: { config: Record<string, unknown> }[] } };
        config.layers.at(-1)!.config.units = 1e9;
      }),
    says: /^Cannot load "\S+" as its units is 1000000000: expected at most 4$/,
  },
  {
    what: "a tensor without a shape",
    change: (folder) =>
      editModel(folder, ({ weightsManifest }) => {
        delete (weightsManifest as { weights: { shape?: number[] }[] }[])[0].weights[0].shape;
      }),
    says: /^Cannot read "\S+" as it lists the tensor \{"name":.*: expected name, shape and dtype$/,
  },
  {
    what: "another JSON file",
    change: (folder) => Deno.writeTextFile(join(folder, "model.json"), "{}"),
    says: /^Cannot read "\S+" as a model of TensorFlow\.js: expected the keys modelTopology and weightsManifest$/,
  },
  {
    what: "a missing shard",
    change: (folder) => Deno.remove(shard(folder)),
    says: /^Cannot read the teacher's weights "\S+shard2of2\.bin" as there is no such file/,
  },
  {
    what: "a shard that was cut off",
    change: (folder) => Deno.truncate(shard(folder), 8),
    says: /^Cannot load "\S+" as its weights are \d+ bytes, expected \d+ for the 8 tensors that it lists: /,
  },
  {
    what: "a layer that TensorFlow.js does not know",
    change: (folder) =>
      editModel(folder, ({ modelTopology }) => {
        const { config } = modelTopology as { config: { layers: { class_name: string }[] } };
        config.layers[0].class_name = "Holograph";
      }),
    says: /^Cannot load "\S+": TensorFlow\.js says: Unknown layer: Holograph/,
  },
  {
    what: "a mistyped node",
    options: { pooled: "pol" },
    says: /^Cannot find the node "pol" in "\S+": did you mean "pool"\?$/,
  },
  {
    what: "an unknown node",
    options: { features: { a: "transformer" } },
    says: /^Cannot find the node "transformer" in "\S+": it has .*"norm".* and "head"$/,
  },
  {
    what: "an unknown input",
    options: { inputs: { x: "image" } },
    says: /^Cannot find the input "x" in "\S+": it has "stem_input"$/,
  },
  {
    what: "images of another size",
    data: imagesOf(9, 8, 1),
    says: /its input "stem_input" takes \[any, 8, 8, 1\], and the data set gives \[any, 9, 8, 1\]$/,
  },
  {
    what: "a model whose channels come first",
    data: imagesOf(8, 1, 8),
    says: /takes \[any, 8, 8, 1\], and the data set gives \[any, 8, 1, 8\]: convert the model with the channels last/,
  },
  {
    what: "a batch size that is fixed",
    change: (folder) => flatGraph(folder, [1, 8, 8, 1]),
    says: /takes \[1, 8, 8, 1\], batches of 1 alone: convert the model with a batch dimension of any size$/,
  },
  {
    what: "a node that is no vector of logits",
    options: { logits: "stem" },
    says:
      /^Cannot use "stem" of "\S+" as logits: it gives \[1, 4, 4, 4\] for one example, and the data set needs \[1, 3\]$/,
  },
  {
    what: "a softmax that is not said",
    change: (folder) => flatGraph(folder, [-1, 8, 8, 1], "Softmax"),
    says:
      /^Cannot tell whether the output "end" of "\S+" gives probabilities, as it gives numbers that sum to 1: say probabilities: true, or probabilities: false if it gives logits$/,
  },
  {
    what: "an operation that TensorFlow.js lacks",
    change: (folder) => flatGraph(folder, [-1, 8, 8, 1], "Hologram"),
    says: /^Cannot (load|run) "\S+": TensorFlow\.js says: /,
  },
  {
    what: "tokens of a data set of images",
    options: { inputs: { stem_input: "tokens" } },
    says: /^Cannot build the model "tfjs" as it takes text: the data set has images$/,
  },
];

Deno.test("what does not fit is refused in one sentence before training", async (test) => {
  const backend = await cpu.open();
  for (const { what, options, data, change, says } of refusals) {
    await test.step(what, () =>
      inFolder(async (folder) => {
        const network = smallNetwork();
        await saveLayers(network, folder);
        network.dispose();
        await change?.(folder);
        const before = { tensors: tf.memory().numTensors, ours: backend.memory().storages };
        await assert.rejects(openModel(backend, folder, options, data), (error) => {
          assert.ok(error instanceof UserError, `${error}`);
          assert.match(error.message, says);
          assert.ok(!error.message.includes("\n"), error.message);
          return true;
        });
        assert.deepEqual({ tensors: tf.memory().numTensors, ours: backend.memory().storages }, before);
      }));
  }
  await backend.close();
});

Deno.test("several outputs, and several inputs, must be told apart", async () => {
  const backend = await cpu.open();
  await inFolder(async (folder) => {
    const inputs = ["left", "right"].map((name) => tfl.input({ name, shape: [8, 8, 1] }));
    const sum = tfl.layers.add({ name: "sum" }).apply(inputs) as tfl.SymbolicTensor;
    const outputs = ["a", "b"].map((name) => tfl.layers.flatten({ name }).apply(sum) as tfl.SymbolicTensor);
    await saveLayers(tfl.model({ inputs, outputs }), folder);
    const says = (message: RegExp) => ({ name: "UserError", message });
    await assert.rejects(
      openModel(backend, folder),
      says(/^Cannot choose an output of "\S+" as it has 2: set logits to one of "a" and "b"$/),
    );
    await assert.rejects(
      openModel(backend, folder, { logits: "a" }),
      says(
        /^Cannot choose an input of "\S+" as it has 2: set inputs to what each is given of a batch, left and right$/,
      ),
    );
    await assert.rejects(
      openModel(backend, folder, { logits: "a", inputs: { left: "image" } }),
      says(/^Cannot run "\S+" without its input "right": inputs must say what it is given$/),
    );
  });
  await backend.close();
});

Deno.test("a model of TensorFlow.js is not trained", async () => {
  const options = tfjs.options(optionKit).parse({});
  assert.throws(() => tfjs.build(options, images), {
    name: "UserError",
    message: 'Cannot train the model "tfjs": TensorFlow.js holds its weights, so it can only be a teacher',
  });
  const backend = await cpu.open();
  await inFolder(async (folder) => {
    await saveLayers(smallNetwork(), folder);
    const { ops, model, dispose } = await openModel(backend, folder);
    const call = { ops, batch: { image: ops.full([1, 8, 8, 1], 0) }, weights: null!, randomSeed: () => 0 };
    assert.throws(() => model.forward({ ...call, training: true }), /^UserError: Cannot train "\S+": /);
    dispose();
  });
  await backend.close();
});
