import assert from "node:assert/strict";
import { join } from "node:path";
import { builtins } from "../../../plugins/builtins.ts";
import { doRun } from "../../../tasks/queue/do_run.ts";
import { Sender } from "../../../tasks/queue/sender.ts";
import { LOOKS_AT_SIGNATURES, withBucket } from "../../support/bucket.ts";
import { FlakyProxy } from "../../support/flaky_proxy.ts";
import { freePort } from "../../support/redis.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { withWrongClock } from "../../support/wrong_clock.ts";
import { listener, tinyRow, workplace } from "./rig.ts";

const HASTY = { patience: 200, firstPatience: 50, silence: 200 };

const PATIENT = { patience: 10_000, firstPatience: 10_000, silence: 10_000 };

const random = (length: number) => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
};

Deno.test("a run goes through a bucket, and what it came to comes back", () =>
  withTinyData((folder) =>
    withBucket(async (server) => {
      const { reporter } = listener();
      const store = server.store();
      const sender = new Sender({ store, builtins, reporter, begin: () => Promise.resolve() });
      const out = { path: ["output"], value: join(folder, "fetched"), label: "test" };
      const recipe = tinyRow(folder, "a").recipe([out]);
      const id = await sender.send(recipe, "a");
      assert.ok(typeof id === "string");
      assert.equal(await doRun(workplace(folder, "w", { store }), id, new AbortController().signal), true);
      const outcome = await sender.fetch(recipe, id);
      assert.ok(outcome && "summary" in outcome);
      const weights = (...at: string[]) => Deno.readFile(join(folder, ...at, "student", "model.safetensors"));
      assert.deepEqual(await weights("fetched"), await weights("w", "work", id, "run"));
    })
  ));

Deno.test("a store in a bucket keeps, replaces and removes, also while connections are cut", () =>
  withBucket(async (server) => {
    const runs = server.store();
    const text = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
    for (const key of ["blobs/x", "runs/a b+c%20d/ü 'é' (1)~!*&=?#.txt"]) {
      assert.deepEqual([await runs.has(key), await runs.read(key)], [false, null]);
      for (const content of ["one", "two", ""]) {
        await runs.write(key, new TextEncoder().encode(content));
        assert.deepEqual([await runs.has(key), text(await runs.read(key))], [true, content]);
      }
      for (const other of [decodeURIComponent(key), key.split("?")[0]]) {
        assert.equal(await runs.has(other), other === key);
      }
      for (let times = 0; times < 2; times++) await runs.remove(key);
      assert.equal(await runs.has(key), false);
    }
    const large = random(LOOKS_AT_SIGNATURES ? 70_000_000 : 3_000_000);
    await using proxy = new FlakyProxy(server.port);
    const through = server.store({ port: proxy.port, times: PATIENT });
    for (const after of [1000, large.length / 2, large.length]) {
      proxy.cut(after);
      await through.write("blobs/large", large);
      proxy.cut(after);
      assert.deepEqual(await through.read("blobs/large"), large);
    }
    assert.ok(proxy.cuts >= 4, `${proxy.cuts} cuts`);
  }));

Deno.test("a store in a bucket says what the server says, and what to do about it", () =>
  withBucket(async (server) => {
    const refused = (attempt: Promise<unknown>, message: RegExp) =>
      assert.rejects(attempt, { name: "UserError", message });
    const none = server.store({ bucket: "no-such-bucket" });
    const words =
      /the store s3:\/\/no-such-bucket\/\S+ as 127\.0\.0\.1:\d+ answers 404: NoSuchBucket, there is no bucket "no-such-bucket"$/;
    await refused(none.read("x"), words);
    // SeaweedFS makes a bucket that an administrator's key writes to.
    if (!LOOKS_AT_SIGNATURES) await refused(none.write("x", random(9)), words);
    const unknown =
      /^Cannot (?:read|write to) the store .* answers 403: InvalidAccessKeyId, look at AWS_ACCESS_KEY_ID$/;
    for (const attempt of ["has", "read", "remove"] as const) {
      await refused(server.store({ keyId: "nobody" })[attempt]("x"), unknown);
    }
    if (LOOKS_AT_SIGNATURES) {
      const wrong = /^Cannot read the store .* answers 403: SignatureDoesNotMatch, look at AWS_SECRET_ACCESS_KEY$/;
      await refused(server.store({ secret: "wrong" }).has("x"), wrong);
      for (const [hours, words] of [[3, "180 minutes ahead of"], [-2, "120 minutes behind"]] as const) {
        const clock = new RegExp(
          `as this machine's clock is ${words} the store's, which takes signatures of 15 minutes`,
        );
        await withWrongClock(hours, async () => {
          await refused(server.store().has("x"), clock);
          await refused(server.store().write("x", random(9)), clock);
        });
      }
    }
    const away = server.store({ port: freePort(), times: HASTY });
    await refused(
      away.read("x"),
      /^Cannot read the store s3:.* as the connection to 127\.0\.0\.1:\d+ failed: nothing answers there: look at AWS_END/,
    );
  }));
