import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { Random } from "../../../core/data/random.ts";
import { readRemoteFile } from "../../../core/data/remote_file.ts";
import type { DatasetSetup } from "../../../core/plugin/dataset.ts";
import { optionKit } from "../../../core/plugin/kit.ts";
import { sha256 } from "../../../core/sha256.ts";
import { cifar } from "../../../plugins/datasets/cifar.ts";
import { idx } from "../../../plugins/datasets/idx.ts";
import { withFileServer } from "../../support/file_server.ts";

const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40);
const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 1, 0);
const record = new Uint8Array(1 + 32 * 32 * 3).fill(7);

const setupWith = (cache: string): DatasetSetup => ({
  readFile: (file, what) => {
    assert.ok(typeof file !== "string", `${what} must be asked for by their URL`);
    return readRemoteFile(file, { cache });
  },
  readFolder: () => assert.fail("no folder is read"),
  openFolder: () => assert.fail("no folder is opened"),
  noteInput: () => assert.fail("nothing else is read"),
  random: new Random(0),
});

Deno.test("IDX files are read by URL, whatever the folder is", () =>
  withFileServer({
    "/images": () => new Response(images),
    "/labels": () => new Response(labels),
  }, async ({ url }, cache) => {
    const files = {
      images: { url: url("/images"), sha256: await sha256(images) },
      labels: { url: url("/labels"), sha256: await sha256(labels) },
    };
    const options = idx.options(optionKit).parse({
      folder: "elsewhere",
      train: files,
      test: files,
      mean: [0],
      std: [1],
    });
    const { input, splits } = await idx.load(options, setupWith(cache));
    assert.deepEqual(input.image?.size, [1, 2, 1]);
    assert.deepEqual([...splits.train.labels!], [1, 0]);
    assert.deepEqual(splits.test.batch(Uint32Array.of(1)).image.data, Float32Array.of(30 / 255, 40 / 255));
  }));

Deno.test("CIFAR files are read by URL, and a wrong one is called by it", () =>
  withFileServer({
    "/train": () => new Response(record),
    "/short": () => new Response(record.slice(1)),
  }, async ({ url }, cache) => {
    const train = { url: url("/train"), sha256: await sha256(record) };
    const short = { url: url("/short"), sha256: await sha256(record.slice(1)) };
    const load = (test: unknown) =>
      cifar.load(cifar.options(optionKit).parse({ train: [train, train], test: [test] }), setupWith(cache));
    const { splits } = await load(train);
    assert.deepEqual([...splits.train.labels!], [7, 7]);
    await assert.rejects(load(short), { name: "UserError", message: new RegExp(`^Cannot read "${short.url}" as `) });
  }));
