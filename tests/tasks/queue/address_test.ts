import assert from "node:assert/strict";
import { networkOf, queueAddress } from "../../../tasks/queue/address.ts";
import { s3Address } from "../../../tasks/queue/s3_address.ts";
import { storePlace } from "../../../tasks/queue/store.ts";

Deno.test("a queue's address is read, and what it leaves out is Redis' own", () => {
  const of = (text: string) => {
    const address = queueAddress(text);
    return [networkOf(address), address.database, address.user, address.tls];
  };
  assert.deepEqual(of("redis://queue"), ["queue:6379", 0, null, false]);
  assert.deepEqual(of("rediss://me@queue.example:7000/3"), ["queue.example:7000", 3, "me", true]);
  assert.deepEqual(of("redis://[::1]:7000/"), ["[::1]:7000", 0, null, false]);
});

Deno.test("a password in an address is refused and not repeated", () => {
  assert.throws(() => queueAddress("redis://me:secret@queue/0"), {
    name: "UserError",
    message:
      "--queue redis://me:…@queue/0: Cannot take a password in an address, which whoever lists the processes of " +
      "this machine can read: put it into the variable OPDF_QUEUE_PASSWORD, or into a file that --queue-password-file names",
  });
});

Deno.test("what is no address of a queue or a store is refused", () => {
  for (
    const text of ["queue", "http://queue", "redis://", "redis://queue/x", "redis://queue/0?tls=1", "redis://queue/0/1"]
  ) {
    assert.throws(() => queueAddress(text), {
      message: /^--queue .*: Expected the address of a Redis or Valkey server/,
    });
  }
  assert.throws(() => storePlace("http://store/"), { message: /: Expected a folder that all machines have, or s3:/ });
  for (const text of ["s3://", "s3://B/x", "s3://bucket/a b", "s3://bucket/../other", "s3://bucket/./x"]) {
    assert.throws(() => s3Address(text, () => "x"), { message: /: Expected s3:\/\/bucket\/prefix/ });
  }
});

Deno.test("a store in S3 is described by the variables of AWS's own tools", () => {
  const from = (variables: Record<string, string>) => s3Address("s3://bucket/a/b", (name) => variables[name]);
  assert.throws(() => from({}), {
    message:
      "Cannot use the store s3://bucket/a/b as the variable AWS_ACCESS_KEY_ID is not set: it takes a key of the bucket",
  });
  // Without leave to read them, as a test is, nobody knows whether they are set.
  assert.throws(() => s3Address("s3://bucket/a/b"), {
    name: "UserError",
    message: "Cannot use the store s3://bucket/a/b as this program was started without leave to read the variable " +
      "AWS_ACCESS_KEY_ID: deno task compare, sweep, tune, worker and native-worker have it",
  });
  const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };
  const { url, network } = from({ ...keys, AWS_REGION: "eu-central-1" });
  assert.deepEqual([url, network], [
    "https://s3.eu-central-1.amazonaws.com/bucket/a/b",
    "s3.eu-central-1.amazonaws.com:443",
  ]);
  const own = from({ ...keys, AWS_ENDPOINT_URL: "http://127.0.0.1:9000/" });
  assert.deepEqual([own.url, own.network], ["http://127.0.0.1:9000/bucket/a/b", "127.0.0.1:9000"]);
});
