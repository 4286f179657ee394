import assert from "node:assert/strict";
import { join } from "node:path";
import { runGrid } from "../../../tasks/experiment/run_grid.ts";
import { queueAddress } from "../../../tasks/queue/address.ts";
import { FlakyProxy } from "../../support/flaky_proxy.ts";
import { RedisServer, WITHOUT_REDIS } from "../../support/redis.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { connect, executor, listener, tinyExperiment, tinyRow, worker, workplace } from "./rig.ts";

const REDIS = { ignore: WITHOUT_REDIS, sanitizeOps: false, sanitizeResources: false };

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
};

/** Runs a body with a connection through a proxy, and what is told of it. */
async function throughProxy(
  flags: readonly string[],
  password: string | null,
  body: (
    parts: {
      proxy: FlakyProxy;
      redis: Awaited<ReturnType<typeof connect>>["redis"];
      told: string[];
      server: RedisServer;
    },
  ) => Promise<void>,
): Promise<void> {
  await using server = await RedisServer.start(...flags);
  await using proxy = new FlakyProxy(server.port);
  const told: string[] = [];
  const address = queueAddress(`redis://127.0.0.1:${proxy.port}/0`);
  const tell = (line: string) => void told.push(line.replace(address.shown, "QUEUE"));
  const { redis, end } = await connect(address, password, tell, { silence: 300 });
  try {
    await body({ proxy, redis, told, server });
  } finally {
    end();
  }
}

const LOST = "lost the connection to the queue QUEUE: trying again";
const BACK = "connected to the queue QUEUE again";

Deno.test(
  "a server that falls silent has lost its connection, and what was asked for is asked for again",
  REDIS,
  () =>
    throughProxy([], null, async ({ proxy, redis, told }) => {
      proxy.fallSilent();
      const asked = redis.set("key", "value");
      await until(() => told.length === 1);
      proxy.speak();
      assert.equal(await asked, "OK");
      assert.deepEqual(told, [LOST, BACK]);
      // What was asked for as a connection ended does not end the next one.
      const [waited] = [redis.blpop("nothing", 0.1), proxy.cut()];
      await waited;
      await new Promise((resolve) => setTimeout(resolve, 600));
      assert.deepEqual(told, [LOST, BACK, LOST, BACK]);
    }),
);

Deno.test(
  "a connection that does not come back as somebody must do something says so once",
  REDIS,
  () =>
    throughProxy(["--requirepass", "swordfish"], "swordfish", async ({ proxy, redis, told, server }) => {
      const { redis: admin, end } = await connect(queueAddress(server.url), "swordfish", () => {});
      await admin.config("SET", "requirepass", "changed");
      proxy.cut();
      await until(() => told.length === 2);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await admin.config("SET", "requirepass", "swordfish");
      end();
      await until(() => told.length === 3);
      assert.equal(await redis.ping(), "PONG");
      const password =
        "the server does not take this program's password: invalid username-password pair or user is disabled.";
      assert.deepEqual(told, [LOST, `no connection to the queue QUEUE yet, as ${password}`, BACK]);
    }),
);

Deno.test(
  "a server that lacks rights or memory for runs is told of, by who sends them and by who does them",
  REDIS,
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start(
        "--user",
        "weak",
        "on",
        "nopass",
        "~opdf:*",
        "+@connection",
        "+info",
      );
      const weak = { url: server.url.replace("//", "//weak@") };
      const rights =
        "the server does not allow its user what a queue takes: this user has no permissions to run the 'eval' command";
      const refused = (attempt: Promise<unknown>, reason: string) =>
        assert.rejects(attempt, { name: "UserError", message: `Cannot use the queue ${server.url} as ${reason}` });
      await refused(worker(weak, workplace(folder, "w")), rights);
      const experiment = { ...tinyExperiment(folder), rows: [tinyRow(folder, "a")], baseline: "a", tune: null };
      const send = async (to: Pick<RedisServer, "url">) => {
        const { executor: sent } = await executor(to, folder);
        await runGrid(experiment, join(folder, "out"), sent).finally(() => sent[Symbol.asyncDispose]());
      };
      await refused(send(weak), rights);

      const { redis: admin, end } = await connect(queueAddress(server.url), null, () => {});
      await admin.config("SET", "maxmemory", "1mb");
      await refused(send(server), "the server's memory is full: its maxmemory must be raised");
      const { warnings, reporter } = listener();
      const stop = new AbortController();
      const how = { untilEmpty: false, signal: stop.signal };
      const working = worker(server, workplace(folder, "w", { reporter }), how);
      await until(() => warnings.length > 0);
      stop.abort();
      await working;
      end();
      assert.deepEqual(warnings, [
        `Cannot use the queue ${server.url} as the server's memory is full: its maxmemory must be raised`,
      ]);
    }),
);
