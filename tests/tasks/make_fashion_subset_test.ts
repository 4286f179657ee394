import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { makeSubset } from "../../tasks/make_fashion_subset.ts";

const IMAGES = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 11, 12, 21, 22, 31, 32];
const LABELS = [0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9];

async function withFolders(body: (from: string, to: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await Promise.all([Deno.mkdir(from), Deno.mkdir(to)]);
    await Deno.writeFile(join(from, "images.gz"), gzipSync(Uint8Array.from(IMAGES)));
    await Deno.writeFile(join(from, "labels.gz"), gzipSync(Uint8Array.from(LABELS)));
    await body(from, to);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the first examples are kept, and the header counts them", () =>
  withFolders(async (from, to) => {
    await makeSubset(from, to, { "images.gz": 2, "labels.gz": 1 });
    const read = async (name: string) => [...gunzipSync(await Deno.readFile(join(to, name)))];
    assert.deepEqual(await read("images.gz"), [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 11, 12, 21, 22]);
    assert.deepEqual(await read("labels.gz"), [0, 0, 8, 1, 0, 0, 0, 1, 7]);
  }));

Deno.test("the gzip header holds no time, name or operating system", () =>
  withFolders(async (from, to) => {
    await makeSubset(from, to, { "labels.gz": 3 });
    const header = (await Deno.readFile(join(to, "labels.gz"))).slice(0, 10);
    // Identification, deflate, no flags, no time; then the level, and 255 for an unknown system.
    assert.deepEqual([...header.slice(0, 8), header[9]], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 255]);
  }));

Deno.test("a missing file and too few examples are refused", () =>
  withFolders(async (from, to) => {
    await assert.rejects(makeSubset(from, to, { "absent.gz": 1 }), {
      name: "UserError",
      message: `Cannot read the data set's file "${join(from, "absent.gz")}" as there is no such file or folder`,
    });
    await assert.rejects(makeSubset(from, to, { "labels.gz": 4 }), {
      name: "UserError",
      message: "Cannot take the first 4 of 3 examples: 1 to 3 can be taken",
    });
  }));
