import assert from "node:assert/strict";
import { join } from "node:path";
import { lockFolder } from "../../core/lock.ts";
import { RunFolder } from "../../core/distill/run_folder.ts";
import { namesIn } from "../support/run_files.ts";
import { CAN_MOUNT, withSmallDisk } from "../support/small_disk.ts";
import { runDeno, spawnDeno } from "../support/task.ts";

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const WORK = "another run writes to it";

Deno.test("a folder is locked once, says by whom, and can be locked again when the lock is given back", () =>
  inTemporaryFolder(async (folder) => {
    {
      using _lock = await lockFolder(folder, WORK);
      await assert.rejects(lockFolder(folder, WORK), {
        name: "UserError",
        message:
          `Cannot write to "${folder}" as ${WORK} (process ${Deno.pid}): wait for it to end, or name another folder`,
      });
    }
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    using _again = await lockFolder(folder, WORK);
  }));

Deno.test("the lock of a process that was killed holds nobody back", () =>
  inTemporaryFolder(async (folder) => {
    const program = `
      import "./core/deno/install.ts";
      import { lockFolder } from "./core/lock.ts";
      await lockFolder(${JSON.stringify(folder)}, "x");
      console.log("locked");
      setInterval(() => {}, 1000);`;
    const child = spawnDeno(["eval", program]);
    const reader = child.stdout.getReader();
    await reader.read();
    await assert.rejects(lockFolder(folder, WORK), new RegExp(`\\(process ${child.pid}\\)`));
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await child.stderr.cancel();
    assert.ok(await Deno.stat(join(folder, ".lock")));
    using _lock = await lockFolder(folder, WORK);
  }));

Deno.test("of many processes that want one folder at a time, never two have it", () =>
  inTemporaryFolder(async (folder) => {
    const program = `
      import "./core/deno/install.ts";
      import { lockFolder } from "./core/lock.ts";
      const [folder, mark] = [${JSON.stringify(folder)}, ${JSON.stringify(join(folder, "mark"))}];
      for (let done = 0; done < 40;) {
        try {
          using _lock = await lockFolder(folder, "x");
          await Deno.writeTextFile(mark, "", { createNew: true });
          await new Promise((resolve) => setTimeout(resolve, 1));
          await Deno.remove(mark);
          done++;
        } catch (error) {
          if (error.name !== "UserError") throw error;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }`;
    const ended = await Promise.all([1, 2, 3].map(() => runDeno(["eval", program])));
    assert.deepEqual(ended.map(({ code, stderr }) => [code, stderr]), ended.map(() => [0, ""]));
  }));

Deno.test({
  name: "a lock that finds no room leaves nothing, and no run folder that was made for it",
  ignore: !CAN_MOUNT,
  fn: () =>
    withSmallDisk(4096, async ({ folder }) => {
      await Deno.writeFile(join(folder, "filler"), new Uint8Array(4096));
      const message = (of: string) =>
        `Cannot lock "${join(of, ".lock")}" as the disk is full: free some space, or name a path on another disk`;
      await assert.rejects(lockFolder(folder, WORK), { name: "UserError", message: message(folder) });
      const run = join(folder, "run");
      await assert.rejects(RunFolder.open({ folder: run, resume: false }), { message: message(run) });
      assert.deepEqual(namesIn(folder), ["filler"]);
    }),
});
