import assert from "node:assert/strict";
import { Random } from "../../core/data/random.ts";
import { readUserFile } from "../../core/files.ts";
import { createOps } from "../../core/ops/ops.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { tfjs } from "../../plugins/models/tfjs/tfjs.ts";
import { images, saveGraph, saveLayers, smallNetwork } from "../plugins/models/tfjs_fixture.ts";
import { answered } from "./answers.ts";
import type { Campaign } from "./campaign.ts";
import { type Files, inNewFolder, oneBackend, readFiles, writeFiles } from "./model_folders.ts";
import { changedBytes, changedJsonText, oneOf } from "./mutations.ts";

const ODD = [
  ...[0, 3, 1e6, 1e9, 2 ** 40, -1, 2.5],
  ...["../x.bin", "/etc/passwd", "a/../../x", "group1-shard1of2.bin", "https://example.org/x", "", "string", "int32"],
  ...[[1e5, 1e5], ["group1-shard1of2.bin", "group1-shard1of2.bin"], [-1, 3], [null, 1e9, 1e9, 1]],
];

let models: Promise<readonly Files[]> | undefined;

/** A layers model and a graph model, with their weights in two files. */
function wholeModels(): Promise<readonly Files[]> {
  const graph = (folder: string) =>
    saveGraph(
      folder,
      [-1, 8, 8, 1],
      { matrix: { shape: [64, 3], values: Array(192).fill(0.1) }, sizes: { shape: [2], values: [-1, 64] } },
      [
        { name: "flat", op: "Reshape", input: ["x", "sizes"] },
        { name: "scores", op: "MatMul", input: ["flat", "matrix"] },
      ],
    );
  const save = (write: (folder: string) => Promise<void>) =>
    inNewFolder(async (folder) => {
      await write(folder);
      return await readFiles(folder);
    });
  return models ??= Promise.all([save((folder) => saveLayers(smallNetwork(), folder)), save(graph)]);
}

/** Models of TensorFlow.js: model.json and the files that it lists. */
export const tfjsFuzz: Campaign = {
  name: "broken TensorFlow.js models",
  quick: 100,
  async trial(seed) {
    const random = new Random(seed).split("tfjs");
    const whole = oneOf(random, await wholeModels());
    const hurt = random.below(4) > 0 ? "model.json" : oneOf(random, Object.keys(whole));
    const file = whole[hurt];
    const files = {
      ...whole,
      [hurt]: hurt === "model.json"
        ? changedJsonText(JSON.parse(new TextDecoder().decode(file)), random, ODD)
        : changedBytes(file, random),
    };
    return await inNewFolder(async (folder) => {
      await writeFiles(folder, files);
      return await answered(folder, async () => {
        const ops = createOps(await oneBackend());
        const options = tfjs.options(optionKit).parse({});
        const { model, dispose } = await tfjs.open!(options, images, {
          ops,
          path: folder,
          readFile: readUserFile,
          report: () => {},
        });
        try {
          ops.scope(() => {
            const batch = { image: ops.full([2, 8, 8, 1], 0.5) };
            const { logits } = model.forward({
              ops,
              weights: null as never,
              batch,
              training: false,
              randomSeed: () => 0,
            });
            assert.deepEqual(logits.shape, [2, 3]);
          });
        } finally {
          dispose();
        }
      });
    });
  },
};
