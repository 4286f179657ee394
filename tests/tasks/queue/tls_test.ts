import assert from "node:assert/strict";
import { join } from "node:path";
import { queueAddress } from "../../../tasks/queue/address.ts";
import { Certificates, WITHOUT_OPENSSL } from "../../support/certificates.ts";
import { freePort, RedisServer, WITHOUT_REDIS } from "../../support/redis.ts";
import { runTask } from "../../support/task.ts";
import { connect } from "./rig.ts";

const TLS = { ignore: WITHOUT_REDIS || WITHOUT_OPENSSL, sanitizeOps: false, sanitizeResources: false };

const TRUST = "name your own authority by the variable DENO_CERT=FILE, its certificate in PEM";

/** A server that answers on a plain port and on one with TLS. */
async function tlsServer(flags: readonly string[]) {
  const port = freePort();
  const more = ["--tls-port", `${port}`, "--tls-auth-clients", "no", ...flags];
  const server = await RedisServer.start(...more);
  return Object.assign(server, { tls: `rediss://127.0.0.1:${port}/0`, tlsPort: port });
}

async function refusal(text: string, patience?: number): Promise<string> {
  const address = queueAddress(text);
  const words = await connect(address, null, () => {}, { patience }).then(({ end }) => {
    end();
    return "connected";
  }, ({ name, message }) => `${name}: ${message}`);
  return words.replace(`UserError: Cannot use the queue ${address.shown} as `, "");
}

Deno.test("a connection with TLS that does not come about ends in a sentence that says what to do", TLS, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const certificates = new Certificates(folder);
    await using server = await tlsServer(certificates.server("good", "IP:127.0.0.1"));
    const port = (at: number) => `127.0.0.1:${at}`;
    assert.equal(
      await refusal(server.tls),
      `no authority that this program knows has signed the server's certificate: ${TRUST}`,
    );
    assert.equal(
      await refusal(`rediss://${port(server.port)}`, 300),
      "the server does not answer: a port without TLS is redis://",
    );
    assert.equal(
      await refusal(`redis://${port(server.tlsPort)}`),
      "the server ended the connection: a port with TLS is rediss://",
    );
    assert.equal(
      await refusal(`redis://${port(server.port)}/99`),
      "the server has no such database: redis-server's databases are 0 to 15 unless its configuration says else",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a worker takes runs over TLS, by an authority of one's own, a user and a password", TLS, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const certificates = new Certificates(folder);
    const rights = [
      "on",
      ">swordfish",
      "~opdf:*",
      "resetchannels",
      "+@all",
      "-@admin",
      "-@dangerous",
      "+info",
      "+client",
    ];
    await using server = await tlsServer([
      ...certificates.server("good", "IP:127.0.0.1"),
      ...["--user", "opdf", ...rights],
      ...["--user", "default", "off"],
    ]);
    await using other = await tlsServer(certificates.server("other", "IP:127.0.0.2"));
    const work = (queue: string, password: string) =>
      runTask("worker", [
        ...["--queue", queue, "--until-empty", "--quiet"],
        ...["--folder", join(folder, "worker"), "--store", join(folder, "store")],
      ], { DENO_CERT: certificates.authority, OPDF_QUEUE_PASSWORD: password });
    const as = (user: string, url: string) => url.replace("//", `//${user}@`);
    const [fine, elsewhere] = await Promise.all([work(as("opdf", server.tls), "swordfish"), work(other.tls, "")]);
    assert.deepEqual([fine.code, fine.stderr], [0, ""]);
    // A test may not read the variable of the password.
    assert.match(await refusal(as("opdf", server.url)), /^it wants a password, and .* OPDF_QUEUE_PASSWORD: /);
    const { code, stderr } = await work(as("opdf", server.url), "sword");
    assert.equal(code, 2);
    assert.match(
      stderr,
      /as the server does not take this program's user and password: invalid username-password pair/,
    );
    assert.deepEqual([elsewhere.code, elsewhere.stderr], [
      2,
      `Cannot use the queue ${other.tls} as the server's certificate is for another name (127.0.0.2): name ` +
      "the server as it does\n",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
