import assert from "node:assert/strict";
import { nobody, somebody } from "../../../tasks/init/asking.ts";
import { cifarAmong, idxAmong } from "../../../tasks/init/image_files.ts";

const AROUND = { base: "data", isTaught: false };

const idxFiles = (prefix: string, train = "train", test = "test") =>
  [train, test].flatMap((split) => ["images-idx3", "labels-idx1"].map((kind) => `${prefix}${split}-${kind}-ubyte.gz`));
const EMNIST = ["balanced", "letters"].flatMap((name) => idxFiles(`emnist-${name}-`));

/** The files that a folder's IDX are found to be. */
function found(files: readonly string[], chosen: string | null, asking = nobody) {
  const data = idxAmong({ folder: "data", files: [...files].sort(), chosen }, AROUND, asking);
  return data && Object.fromEntries(data.options.map((entry) => [entry.key, "value" in entry ? entry.value : null]));
}

Deno.test("of several data sets in IDX files that is taken of which a file is named, or which is chosen", () => {
  const letters = {
    folder: ".",
    train: { images: EMNIST[4], labels: EMNIST[5] },
    test: { images: EMNIST[6], labels: EMNIST[7] },
  };
  for (const chosen of EMNIST.slice(4)) assert.deepEqual(found(EMNIST, chosen), letters);
  assert.throws(() => found(EMNIST, null), {
    name: "UserError",
    message: "--data data: Cannot tell which of several data sets is meant, by its training images: it may be " +
      `${EMNIST[0]} or ${EMNIST[4]}; say it with --data FILE`,
  });
  assert.deepEqual(found(EMNIST, null, somebody(() => "2", () => {})), letters);
  // Nothing is borrowed from another set.
  assert.throws(() => found(EMNIST.slice(0, 7), EMNIST[4]), /Cannot find the test labels among the IDX files/);
  assert.deepEqual(found(idxFiles("", "train", "t10k"), null), { folder: "." });
  assert.deepEqual(found([...idxFiles("", "train", "t10k"), ...EMNIST], "train-images-idx3-ubyte.gz"), { folder: "." });
});

Deno.test("a file of CIFAR stands for its own data set among others", () => {
  const files = ["data_batch_1.bin", "test.bin", "test_batch.bin", "train.bin", ...idxFiles("")];
  const cifar = (chosen: string | null) => cifarAmong({ folder: "data", files, chosen }, "data")?.what;
  assert.deepEqual(["train.bin", "test_batch.bin", null, "other.bin"].map(cifar), [
    "CIFAR-100",
    "CIFAR-10",
    "CIFAR-10",
    undefined,
  ]);
  assert.equal(found(files, "train.bin"), null);
});
