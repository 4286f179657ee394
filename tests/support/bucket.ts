import assert from "node:assert/strict";
import { AwsClient } from "aws4fetch";
import { s3Address } from "../../tasks/queue/s3_address.ts";
import { S3Store, type StoreTimes } from "../../tasks/queue/s3_store.ts";
import { freePort } from "./redis.ts";

/**
 * `deno test ... -- --s3=http://KEY:SECRET@127.0.0.1:8333` tests with a server that is there; else s3rver is started,
 * which looks at keys, and not at signatures of version 4.
 */
const given = Deno.args.find((flag) => flag.startsWith("--s3="))?.slice("--s3=".length);

/** Whether the server looks at signatures. */
export const LOOKS_AT_SIGNATURES = given !== undefined;

const BUCKET = "opdf-tests";

/** What a store of a test may have otherwise. */
export interface Otherwise {
  readonly bucket?: string;
  readonly port?: number;
  readonly keyId?: string;
  readonly secret?: string;
  readonly times?: StoreTimes;
}

/** A server of buckets. */
export interface BucketServer {
  readonly port: number;
  /** A store of its own place. */
  readonly store: (otherwise?: Otherwise) => S3Store;
}

/** Runs a body with a server of buckets, in which one is made. */
export async function withBucket(body: (server: BucketServer) => Promise<void>): Promise<void> {
  if (given !== undefined) {
    const { username, password, port } = new URL(given);
    await makeBucket(+port, username, password);
    return await body(serverAt(+port, username, password));
  }
  const folder = await Deno.makeTempDir();
  const port = freePort();
  const run = ["run", "--no-lock", "--quiet", "-A", "npm:s3rver@3.7.1", "-a", "127.0.0.1"];
  const args = [...run, "-p", `${port}`, "-d", folder, "--configure-bucket", BUCKET];
  const server = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "null" }).spawn();
  const lines = server.stdout.getReader();
  try {
    for (let told = ""; !told.includes("listening");) {
      const { value, done } = await lines.read();
      assert.ok(!done, "the server listens");
      told += new TextDecoder().decode(value);
    }
    await body(serverAt(port, "S3RVER", "S3RVER"));
  } finally {
    server.kill();
    await lines.cancel();
    await server.status;
    await Deno.remove(folder, { recursive: true });
  }
}

async function makeBucket(port: number, accessKeyId: string, secretAccessKey: string): Promise<void> {
  const client = new AwsClient({ accessKeyId, secretAccessKey, service: "s3", region: "us-east-1" });
  const answer = await client.fetch(`http://127.0.0.1:${port}/${BUCKET}`, { method: "PUT" });
  const words = await answer.text();
  assert.ok(answer.ok || answer.status === 409, words);
}

function serverAt(port: number, keyId: string, secret: string): BucketServer {
  const prefix = crypto.randomUUID();
  return { port, store: (otherwise) => storeAt({ port, keyId, secret, ...otherwise }, prefix) };
}

/** A store at a port of 127.0.0.1. */
export function storeAt(
  { port, keyId = "key", secret = "secret", bucket = BUCKET, times }: Otherwise,
  prefix = "some/prefix",
): S3Store {
  const variables: Readonly<Record<string, string>> = {
    AWS_ACCESS_KEY_ID: keyId,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  };
  return new S3Store(s3Address(`s3://${bucket}/${prefix}`, (name) => variables[name]), times);
}
