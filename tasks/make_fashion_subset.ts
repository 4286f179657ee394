/**
 * Makes the Fashion-MNIST subset of this repository from the complete data set:
 * `deno run --allow-read --allow-write tasks/make_fashion_subset.ts --from DIR`
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import "../core/deno/install.ts";
import { takeFirst } from "../core/data/split.ts";
import { UserError } from "../core/errors.ts";
import { readUserFile, writeFileAtomically } from "../core/files.ts";
import { decodeIdx, type IdxArray } from "../plugins/datasets/idx_format.ts";

/** The files of the data set, and how many of the first examples of each the subset keeps. */
const FILES = {
  "train-images-idx3-ubyte.gz": 8000,
  "train-labels-idx1-ubyte.gz": 8000,
  "t10k-images-idx3-ubyte.gz": 2000,
  "t10k-labels-idx1-ubyte.gz": 2000,
};

/**
 * Cuts IDX files down to their first examples.
 *
 * @param from the folder of the complete files
 * @param to the folder to write to, under the same names
 * @param files how many examples to keep, by file name
 * @throws UserError if a file is missing, is not IDX, or has fewer examples
 */
export async function makeSubset(from: string, to: string, files: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, count] of Object.entries(files)) {
    const path = join(from, name);
    const complete = await decodeIdx(await readUserFile(path, "the data set's file"), `"${path}"`);
    await writeFileAtomically(join(to, name), encodeIdxGzip(firstOf(complete, count)));
  }
}

function firstOf({ dimensions: [available, ...example], values, source }: IdxArray, count: number): IdxArray {
  const exampleBytes = example.reduce((product, length) => product * length, 1);
  const kept = takeFirst(available, count).length;
  return { dimensions: [kept, ...example], values: values.slice(0, kept * exampleBytes), source };
}

function encodeIdxGzip({ dimensions, values }: IdxArray): Uint8Array {
  const headerBytes = 4 + 4 * dimensions.length;
  const idx = new Uint8Array(headerBytes + values.length);
  const header = new DataView(idx.buffer);
  header.setUint16(2, 0x0800 + dimensions.length); // unsigned bytes, and the number of dimensions
  dimensions.forEach((length, axis) => header.setUint32(4 + 4 * axis, length));
  idx.set(values, headerBytes);
  const gzip = gzipSync(idx, { level: 9 });
  // No time and no operating system in gzip's own header: the same data gives the same file everywhere.
  gzip.fill(0, 4, 8);
  gzip[9] = 255;
  return gzip;
}

if (import.meta.main) {
  const { from } = parseArgs({ options: { from: { type: "string" } } }).values;
  const to = fileURLToPath(new URL("../plugins/datasets/data/fashion-mnist/", import.meta.url));
  try {
    if (from === undefined) throw new UserError("Cannot make the subset without --from DIR, the complete data set");
    await makeSubset(from, to, FILES);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
