import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { currentFiles, useFiles } from "../../../../core/files/current.ts";
import { memoryFiles } from "../../../../core/files/memory_files.ts";
import type { Dataset } from "../../../../core/plugin/dataset.ts";
import { imageFolder } from "../../../../plugins/datasets/image_folder.ts";
import { type DecodeJob, jobOf } from "../../../../plugins/datasets/pictures/decode_job.ts";
import { Decoders } from "../../../../plugins/datasets/pictures/decoders.ts";
import { decodeInOrder } from "../../../../plugins/datasets/pictures/in_order.ts";
import type { PictureForm } from "../../../../plugins/datasets/pictures/picture_form.ts";
import golden from "../../../golden/pictures.json" with { type: "json" };
import { deferred } from "../../../../core/deferred.ts";
import { goldenFile, imagesIn, loadPictures, noisePng, plainPng } from "../../../support/pictures.ts";
import { CHECKOUT, runDeno } from "../../../support/task.ts";

const form: PictureForm = {
  colours: { channels: 3, background: [9, 99, 199], orient: true },
  resize: () => ({ to: [6, 5], crop: [6, 5], resampling: "bicubic" }),
  ...{ mean: null, std: null, processor: {}, described: "" },
};

/** Pictures of every format, some of which are broken, of two classes. */
function mixed(): Record<string, Uint8Array<ArrayBuffer>> {
  const content: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const [index, { name }] of golden.pictures.entries()) {
    const bytes = goldenFile(name);
    const cut = index % 9 === 4 ? bytes.subarray(0, bytes.length >> 1) : bytes;
    content[`pets/${["train", "test"][index % 2]}/${["cat", "dog"][(index >> 1) % 2]}/${index}`] = cut;
  }
  for (let seed = 0; seed < 40; seed++) content[`pets/train/${seed % 2 ? "cat" : "dog"}/n${seed}`] = noisePng(seed, 40);
  return content;
}

const load = (options: Record<string, unknown>, content = mixed()) => {
  useFiles(memoryFiles(content));
  return loadPictures(imageFolder, { folder: "pets", background: [9, 99, 199], size: 24, ...options });
};

Deno.test("pixels, what is skipped, and what is kept are the same on one thread and on three", async () => {
  const outcomes = [];
  for (const threads of [1, 3]) {
    const dataset = await load({ threads, onBad: "skip" });
    assert.ok(dataset.skipped![0].count >= 5, "some are broken");
    const kept = [];
    for (const { name } of await currentFiles().list("runs/cache")) {
      kept.push([name, await currentFiles().read(`runs/cache/${name}`)]);
    }
    const { input, skipped, warnings } = dataset;
    const images = [await imagesIn(dataset, "train"), await imagesIn(dataset, "test")];
    // Compared as texts, as a list of all that differs in so many numbers takes minutes.
    outcomes.push(JSON.stringify([input, skipped, warnings, kept, images]));
  }
  assert.equal(outcomes[1], outcomes[0]);
});

Deno.test("the picture that ends a run is the same one, however many threads decode", async () => {
  const told = [];
  for (const threads of [1, 3]) {
    const refusal = await load({ threads }).then(() => null, (error) => error);
    assert.equal(refusal?.name, "UserError");
    assert.match(refusal.message, /^Cannot use the picture "[a-z]+\/[a-z]+\/\d+" of "pets" as /);
    told.push(refusal.message);
    const sizes = await load({ threads, size: null }, large({ "train/cat/9": noisePng(7, 9) })).catch((error) => error);
    told.push(sizes.message);
    assert.match(sizes.message, /^Cannot use pictures of different sizes: /);
  }
  assert.deepEqual(told.slice(2), told.slice(0, 2));
});

/** Twelve pictures that take 1.4 MB as pixels, and others. */
function large(more: Record<string, Uint8Array<ArrayBuffer>> = {}): Record<string, Uint8Array<ArrayBuffer>> {
  const names = ["train/cat/1", "train/cat/2", "train/cat/3", "train/dog/1", "train/dog/2", "train/dog/3"];
  const all = [...names, ...names.map((name) => name.replace("train", "test"))];
  const content = { ...Object.fromEntries(all.map((name, seed) => [name, noisePng(seed, 200)])), ...more };
  return Object.fromEntries(Object.entries(content).map(([name, bytes]) => [`pets/${name}`, bytes]));
}

function same(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.ok(actual.length === expected.length && actual.every((value, at) => value === expected[at]), what);
}

const streamed = (threads: number) => load({ size: 200, memory: 1, cache: false, threads }, large());

Deno.test("what is decoded again, ahead or not, is the same on one thread and on three", async () => {
  const [alone, together] = [await streamed(1), await streamed(3)];
  const batch = async ({ splits: { train } }: Dataset, ...indices: number[]) => {
    await train.fetch!(Uint32Array.from(indices));
    return train.batch(Uint32Array.from(indices)).image.data;
  };
  try {
    const expected = [await batch(alone, 4, 1, 4), await batch(alone, 0, 2), await batch(alone, 3)];
    const { train } = together.splits;
    await train.ahead!(Uint32Array.of(4, 1, 4));
    same(await batch(together, 4, 1, 4), expected[0], "what was begun");
    await train.ahead!(Uint32Array.of(0, 2));
    assert.deepEqual(train.batch(Uint32Array.of(1, 4)).image.data.length, 2 * 120_000, "what is there stays");
    same(await batch(together, 3), expected[2], "another than what was begun");
    same(await batch(together, 0, 2), expected[1], "what was begun before");
    await batch(together, 5);
    await train.ahead!(Uint32Array.of(5, 4));
    await currentFiles().write("pets/train/cat/1", noisePng(99, 200));
    await train.ahead!(Uint32Array.of(0));
    await train.ahead!(Uint32Array.of(3));
    same(await batch(together, 3), expected[2], "what nobody asks for fails nothing");
    await train.ahead!(Uint32Array.of(0));
    await assert.rejects(train.fetch!(Uint32Array.of(0)), {
      name: "UserError",
      message: 'Cannot use "pets/train/cat/1" as it was changed since it was first read: start the run again',
    });
  } finally {
    await alone.close!();
    await together.close!();
  }
});

Deno.test("what goes wrong in a thread is told, and the next picture is decoded", async () => {
  const decoders = await Decoders.start(2);
  try {
    assert.equal(decoders.threads, 2);
    const job = jobOf(goldenFile(golden.pictures[0].name), form);
    const odd = { ...job, resize: { to: [3, 3], crop: [3, 3], resampling: "none" } } as unknown as DecodeJob;
    const isTold = (error: Error) => error.name === "Error" && /\bat\b/.test(error.stack!);
    await Promise.all([odd, odd].map((one) => assert.rejects(decoders.decode(one), isTold)));
    const cut = { ...job, bytes: job.bytes.subarray(0, 20) };
    await assert.rejects(decoders.decode(cut), { name: "BadPicture", reason: "it ends before its picture does" });
    assert.deepEqual(await decoders.decode(job), await Decoders.here().decode(job));
    const slow = jobOf(plainPng([1, 2, 3], 1200), form);
    const waiting = Promise.allSettled([slow, slow, slow, slow].map((one) => decoders.decode(one)));
    await decoders.close();
    const reasons = (await waiting).flatMap((one) => one.status === "rejected" ? [one.reason] : []);
    assert.ok(reasons.length > 0, "some were not done");
    for (const { name, message } of reasons) {
      assert.deepEqual([name, message.split(":")[0]], [
        "DeviceError",
        "Cannot decode pictures as a thread that does it has ended",
      ]);
    }
    assert.equal(decoders.threads, 0);
  } finally {
    await decoders.close();
  }
});

Deno.test("where no thread can be started, pictures are decoded on this one", async () => {
  const { process } = globalThis as unknown as { process: { getBuiltinModule: unknown } };
  const given = process.getBuiltinModule;
  const { Worker } = globalThis;
  const refuse = class {
    constructor() {
      throw new Error("a page's policy forbids it");
    }
  };
  Object.assign(process, { getBuiltinModule: undefined });
  Object.assign(globalThis, { Worker: refuse });
  try {
    assert.equal((await Decoders.start(3)).threads, 0);
  } finally {
    Object.assign(process, { getBuiltinModule: given });
    Object.assign(globalThis, { Worker });
  }
});

Deno.test("no more is begun than may be, by count and by memory, and all is taken in order", async () => {
  const sizeOf = (item: number) => item === 7 ? 2 ** 30 : 2 ** 20;
  const run = async (most: number) => {
    const [taken, ahead, told]: number[][] = [[], [], []];
    let begun = 0;
    const waits = Array.from({ length: 12 }, () => deferred<void>());
    const work = decodeInOrder(waits.keys(), most, (item) => {
      begun++;
      const picture = waits[item].promise.then(() => ({ pixels: new Uint8Array(4), height: 1, width: 1, channels: 4 }));
      return Promise.resolve({ picture, memory: sizeOf(item) });
    }, async (item, picture) => {
      ahead.push(begun - taken.length);
      await picture;
      taken.push(item);
    }, () => void told.push(begun));
    for (const { resolve } of [...waits].reverse()) resolve();
    await work;
    assert.deepEqual(taken, [...waits.keys()]);
    return { ahead, told: told[0] };
  };
  assert.deepEqual((await run(0)).ahead, Array(12).fill(1));
  assert.deepEqual(Math.max(...(await run(3)).ahead), 4);
  const { ahead, told } = await run(Infinity);
  assert.equal(told, 8, "a large one is waited for");
  assert.deepEqual(ahead.slice(8), [4, 3, 2, 1], "and takes little once it is decoded");
});

const hasNode = await new Deno.Command("node", { args: ["--version"], stdout: "null", stderr: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "pictures are decoded on two threads under Node.js, which ends by itself",
  ignore: !hasNode && Deno.env.get("CI") !== "true",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const [entry, bundle] = ["entry.ts", "bundle.mjs"].map((name) => join(folder, name));
      const jpeg = golden.pictures.find(({ name }) => name === "jpeg-420")!.file;
      const source = pathToFileURL(join(CHECKOUT, "plugins/datasets/pictures")).href;
      await Deno.writeTextFile(
        entry,
        `import { Decoders } from "${source}/decoders.ts";
import { jobOf } from "${source}/decode_job.ts";
const bytes = Uint8Array.from(atob("${jpeg}"), (letter) => letter.charCodeAt(0));
const job = jobOf(bytes, { colours: { channels: 3, background: null, orient: true }, resize: null });
const decoders = await Decoders.start(2);
const [one, two, own] = await Promise.all([decoders, decoders, Decoders.here()].map((by) => by.decode(job)));
console.log(decoders.threads, one.pixels.length > 0, [one, two].every(({ pixels }) => pixels.join() === own.pixels.join()));`,
      );
      const config = join(CHECKOUT, "deno.json");
      const flags = ["--config", config, "--no-lock", "--platform", "browser", "--quiet"];
      const made = await runDeno(["bundle", ...flags, "-o", bundle, entry]);
      assert.equal(made.code, 0, made.stderr);
      const output = await new Deno.Command("node", { args: [bundle] }).output();
      const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert.deepEqual([output.code, stdout, stderr], [0, "2 true true\n", ""]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
