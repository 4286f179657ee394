import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFiles } from "../../../core/deno/deno_files.ts";
import { nodeFiles } from "../../../core/node/node_files.ts";
import { runDeno, spawnDeno } from "../../support/task.ts";

async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(join(folder, ".lock"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Starts a process that runs a program on `nodeFiles` and the lock's path. */
const programOn = (path: string, body: string) => [
  "eval",
  `import { nodeFiles } from "./core/node/node_files.ts"; const path = ${JSON.stringify(path)}; ${body}`,
];

Deno.test("Node.js's lock of a process that was killed is free, and its file names who has it", () =>
  withFile(async (path) => {
    const holder =
      "const lock = await nodeFiles.openLock(path); console.log(await lock.take()); setInterval(() => {}, 99);";
    const child = spawnDeno(programOn(path, holder));
    const reader = child.stdout.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "taken\n");
    using lock = await nodeFiles.openLock(path);
    assert.equal(await lock.take(), "held");
    assert.match(await Deno.readTextFile(path), new RegExp(`^\n${child.pid} .*\n\n#+\n$`));
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await child.stderr.cancel();
    assert.equal(await lock.take(), "taken");
    assert.match(await Deno.readTextFile(path), new RegExp(`^[\n#]+${Deno.pid} .*\n$`));
  }));

Deno.test("of many processes that want Node.js's lock at a time, never two have it", () =>
  withFile(async (path) => {
    const program = `
      for (let done = 0; done < 40;) {
        using lock = await nodeFiles.openLock(path);
        if (await lock.take() !== "taken") {
          await new Promise((resolve) => setTimeout(resolve, 1));
          continue;
        }
        await nodeFiles.create(path + ".mark");
        await new Promise((resolve) => setTimeout(resolve, 1));
        await nodeFiles.remove(path + ".mark");
        done++;
      }`;
    const ended = await Promise.all([1, 2, 3].map(() => runDeno(programOn(path, program))));
    assert.deepEqual(ended.map(({ code, stderr }) => [code, stderr]), ended.map(() => [0, ""]));
  }));

Deno.test("Node.js keeps a lock of Deno's, and sees that Deno took its own", () =>
  withFile(async (path) => {
    {
      using first = await denoFiles.openLock(path);
      assert.equal(await first.take(), "taken");
      using second = await nodeFiles.openLock(path);
      assert.equal(await second.take(), "held");
    }
    using first = await nodeFiles.openLock(path);
    assert.deepEqual([await first.take(), await first.holds()], ["taken", true]);
    using second = await denoFiles.openLock(path);
    assert.deepEqual([await second.take(), await first.holds()], ["taken", false]);
  }));

Deno.test("a lock in a folder that was moved away is free when it is disposed of", () =>
  withFile(async (path) => {
    {
      using lock = await nodeFiles.openLock(path);
      assert.equal(await lock.take(), "taken");
      await Deno.rename(path, `${path}.moved`);
      assert.equal(await lock.holds(), false);
    }
    using lock = await nodeFiles.openLock(`${path}.moved`);
    assert.equal(await lock.take(), "taken");
  }));
