import assert from "node:assert/strict";
import { join } from "node:path";
import { findLibrary } from "../../../core/deno/native_libraries.ts";
import { RedisServer, WITHOUT_REDIS } from "../../support/redis.ts";
import { runTask } from "../../support/task.ts";
import { withTinyData } from "../../support/tiny_run.ts";
import { executor, tinyRow } from "./rig.ts";

Deno.test(
  "workers by native and native-worker compute with the matrix library, save those that run the code of others",
  { ignore: WITHOUT_REDIS, sanitizeOps: false, sanitizeResources: false },
  () =>
    withTinyData(async (folder) => {
      await using server = await RedisServer.start();
      const { executor: sent } = await executor(server, folder);
      const flags = ["--folder", join(folder, "worker"), "--store", join(folder, "store"), "--until-empty"];
      /** What a worker says of a run that it does. */
      const told = async (name: string, work: () => ReturnType<typeof runTask>) => {
        const output = { path: ["output"], value: join(folder, name), label: "test" };
        const outcome = sent.run(tinyRow(folder, name, [`name=${name}`]).recipe([output]), name);
        const ended = await work();
        assert.deepEqual([ended.code, ended.stderr], [0, ""]);
        assert.match(ended.stdout, /^1 run done$/m);
        assert.ok("summary" in await outcome);
        return ended.stdout;
      };
      const withOthers = await told(
        "a",
        () => runTask("native", ["worker", "--queue", server.url, ...flags, "--allow-plugins"]),
      );
      assert.doesNotMatch(withOthers, /matrix products by/);
      // By another name of the host, which the task native may not ask.
      const address = server.url.replace("127.0.0.1", "localhost");
      const own = await told("b", () => runTask("native-worker", ["--queue", address, ...flags]));
      if (findLibrary()) assert.match(own, /matrix products by/);
      await sent[Symbol.asyncDispose]();
    }),
);
