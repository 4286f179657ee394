import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { gunzipUpTo, isGzip } from "../../../plugins/datasets/gunzip.ts";

const plain = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) >> 7);
const gzip = new Uint8Array(gzipSync(plain));

Deno.test("gzip is known by its content", () => {
  assert.ok(isGzip(gzip));
  for (const other of [[], [0x1f], [0, 0, 8, 1], [0x8b, 0x1f]]) assert.ok(!isGzip(Uint8Array.from(other)));
});

Deno.test("inflating gives all that was compressed, or the first bytes of it", async () => {
  assert.deepEqual(await gunzipUpTo(gzip, plain.length + 1), plain);
  for (const limit of [0, 1, 16, 50_000, plain.length]) {
    assert.deepEqual(await gunzipUpTo(gzip, limit), plain.subarray(0, limit));
  }
});

Deno.test("the start of a gzip that inflates to far more is read without the rest", async () => {
  const bomb = new Uint8Array(gzipSync(new Uint8Array(20_000_000), { level: 9 }));
  // Damage near the end is not seen, since the end is not reached.
  bomb.fill(255, -8);
  assert.deepEqual(await gunzipUpTo(bomb, 4), new Uint8Array(4));
});

Deno.test("damaged, cut and extended gzip is a TypeError", async () => {
  const damaged = gzip.slice();
  damaged[damaged.length - 6] ^= 1; // in the checksum
  for (const bytes of [damaged, gzip.slice(0, -3), gzip.slice(0, 2), new Uint8Array([...gzip, 1])]) {
    await assert.rejects(gunzipUpTo(bytes, plain.length + 1), TypeError);
  }
});
