import assert from "node:assert/strict";
import { join } from "node:path";
import { RedisServer, WITHOUT_REDIS } from "../../support/redis.ts";
import { runTask } from "../../support/task.ts";

Deno.test(
  "a worker under the task native asks the queue's host, which is the one that serve answers at",
  { ignore: WITHOUT_REDIS },
  async () => {
    await using server = await RedisServer.start();
    const folder = await Deno.makeTempDir();
    try {
      const places = ["--folder", join(folder, "worker"), "--store", join(folder, "store")];
      const ended = await runTask("native", ["worker", "--queue", server.url, ...places, "--until-empty"]);
      assert.deepEqual([ended.code, ended.stderr], [0, ""]);
      assert.match(ended.stdout, /^0 runs done$/m);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
