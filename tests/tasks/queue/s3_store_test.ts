import assert from "node:assert/strict";
import { join } from "node:path";
import { builtins } from "../../../plugins/builtins.ts";
import { doRun } from "../../../tasks/queue/do_run.ts";
import { Sender } from "../../../tasks/queue/sender.ts";
import { s3Address, S3Store } from "../../../tasks/queue/s3_store.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { listener, tinyRow, workplace } from "./rig.ts";

/** A server that answers as S3 does; it looks at keys, and not at signatures of version 4. */
const SERVER = ["run", "--no-lock", "--quiet", "-A", "npm:s3rver@3.7.1", "-a", "127.0.0.1"];

async function withBucket(body: (address: (bucket: string, port?: number) => S3Store) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const args = [...SERVER, "-p", `${port}`, "-d", folder, "--configure-bucket", "runs"];
  const server = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "null" }).spawn();
  const lines = server.stdout.getReader();
  try {
    for (let told = ""; !told.includes("listening");) {
      const { value, done } = await lines.read();
      assert.ok(!done, "the server listens");
      told += new TextDecoder().decode(value);
    }
    await body((bucket, at = port) => {
      const variables: Record<string, string> = {
        AWS_ACCESS_KEY_ID: "S3RVER",
        AWS_SECRET_ACCESS_KEY: "S3RVER",
        AWS_ENDPOINT_URL: `http://127.0.0.1:${at}`,
      };
      return new S3Store(s3Address(`s3://${bucket}/some/prefix`, (name) => variables[name]));
    });
  } finally {
    server.kill();
    await lines.cancel();
    await server.status;
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a run goes through a bucket, and what it came to comes back", () =>
  withTinyData((folder) =>
    withBucket(async (bucket) => {
      const { reporter } = listener();
      const store = bucket("runs");
      const sender = new Sender({ store, builtins, reporter, begin: () => Promise.resolve() });
      const out = { path: ["output"], value: join(folder, "fetched"), label: "test" };
      const recipe = tinyRow(folder, "a").recipe([out]);
      const id = await sender.send(recipe, "a");
      assert.ok(typeof id === "string");
      assert.equal(await doRun(workplace(folder, "w", { store }), id, new AbortController().signal), true);
      const outcome = await sender.fetch(recipe, id);
      assert.ok(outcome && "summary" in outcome);
      const weights = (...at: string[]) => Deno.readFile(join(folder, ...at, "student", "model.safetensors"));
      assert.deepEqual(await weights("fetched"), await weights("w", "work", id));
    })
  ));

Deno.test("a store in a bucket keeps, replaces and removes, and says what the server says", () =>
  withBucket(async (store) => {
    const runs = store("runs");
    const text = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
    assert.deepEqual([await runs.has("blobs/x"), await runs.read("blobs/x")], [false, null]);
    for (const content of ["one", "two", ""]) {
      await runs.write("blobs/x", new TextEncoder().encode(content));
      assert.deepEqual([await runs.has("blobs/x"), text(await runs.read("blobs/x"))], [true, content]);
    }
    const large = new Uint8Array(3_000_000).fill(7);
    await runs.write("blobs/large", large);
    assert.deepEqual(await runs.read("blobs/large"), large);
    for (let times = 0; times < 2; times++) await runs.remove("blobs/x");
    assert.equal(await runs.has("blobs/x"), false);
    await assert.rejects(store("others").write("x", large), {
      name: "UserError",
      message: /^Cannot write to the store s3:\/\/others\/some\/prefix as 127\.0\.0\.1:\d+ answers 404: NoSuchBucket, /,
    });
    await assert.rejects(store("runs", 9).read("x"), {
      name: "UserError",
      message: /^Cannot read the store s3:\/\/runs\/some\/prefix as the connection to 127\.0\.0\.1:9 failed: /,
    });
  }));
