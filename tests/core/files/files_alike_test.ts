import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../../core/data/random.ts";
import { denoFiles } from "../../../core/deno/deno_files.ts";
import type { Files } from "../../../core/files/files.ts";
import { memoryFiles } from "../../../core/files/memory_files.ts";
import { memoryWithin } from "../../../core/files/memory_within.ts";
import { nodeFiles } from "../../../core/node/node_files.ts";

/** Some of few paths, so that operations meet. */
function somePath(random: Random): string {
  return Array.from({ length: 1 + random.below(3) }, () => ["a", "b"][random.below(2)]).join("/");
}

type Operation = readonly [what: string, run: (files: Files, at: (path: string) => string) => Promise<unknown>];

function someOperation(random: Random): Operation {
  const [path, other] = [somePath(random), somePath(random)];
  const bytes = Uint8Array.from({ length: random.below(20) }, () => random.below(256));
  const [begin, length] = [random.below(12), random.below(12)];
  const operations: Operation[] = [
    [`look at ${path}`, async (files, at) => {
      const { kind, size } = await files.look(at(path));
      return kind === "folder" ? kind : [kind, size];
    }],
    [`link at ${path}`, (files, at) => files.isLink(at(path))],
    [`real path of ${path}`, async (files, at) => (await files.realPath(at(path))).slice(at("").length)],
    [`list ${path}`, async (files, at) => (await files.list(at(path))).sort((a, b) => a.name < b.name ? -1 : 1)],
    [`read ${path}`, (files, at) => files.read(at(path))],
    [`read ${length} bytes of ${path} from ${begin}`, async (files, at) => {
      using file = await files.open(at(path));
      return [file.size, await file.read(begin, length), await file.read(0, file.size)];
    }],
    [`write ${path}`, (files, at) => files.write(at(path), bytes)],
    [`write parts of ${path}`, (files, at) => files.write(at(path), [bytes, new Uint8Array(), bytes.toReversed()])],
    [`create ${path}`, (files, at) => files.create(at(path))],
    [`append to ${path}`, (files, at) => files.append(at(path), bytes)],
    [`make folder ${path}`, (files, at) => files.makeFolder(at(path), false)],
    [`make folders ${path}`, (files, at) => files.makeFolder(at(path), true)],
    [`rename ${path} to ${other}`, (files, at) => files.rename(at(path), at(other))],
    [`remove ${path}`, (files, at) => files.remove(at(path))],
    [`remove empty folder ${path}`, async (files, at) => await files.removeEmptyFolder(at(path))],
    [`lock ${path}`, async (files, at) => {
      using second = await files.openLock(at(path));
      const outcomes: unknown[] = [];
      {
        using first = await files.openLock(at(path));
        outcomes.push(await first.take(), await second.take(), await first.holds());
      }
      return [...outcomes, await second.holds(), await second.take()];
    }],
  ];
  return operations[random.below(operations.length)];
}

/** What an operation gives, or the code of its failure. */
async function outcome([, run]: Operation, files: Files, at: (path: string) => string): Promise<unknown> {
  try {
    return await run(files, at);
  } catch (error) {
    const failure = files.failureOf(error);
    if (failure === null) throw error;
    return failure.code;
  }
}

/** All that there is, by path. */
async function tree(files: Files, folder: string): Promise<unknown> {
  const entries = await files.list(folder);
  return await Promise.all(
    entries.sort((a, b) => a.name < b.name ? -1 : 1).map(async ({ name, kind }) => {
      const path = `${folder}/${name}`;
      return [name, kind === "folder" ? await tree(files, path) : await files.read(path)];
    }),
  );
}

const OTHERS: readonly (readonly [name: string, Files, of: (files: Files, folder: string) => Files])[] = [
  ["files in memory do what files on a disk do by Deno", denoFiles, () => memoryFiles()],
  ["files in memory do what files on a disk do by Node.js", nodeFiles, () => memoryFiles()],
  ["files of one folder in memory do what the others do", denoFiles, (files, folder) => memoryWithin(folder, files)],
];

for (const [name, files, other] of OTHERS) {
  Deno.test({
    name: `${name}, and fail as they do`,
    ignore: Deno.build.os !== "linux", // systems differ in their codes
    fn: async () => {
      const folder = await Deno.realPath(await Deno.makeTempDir());
      try {
        const random = new Random(11);
        for (let run = 0; run < 20; run++) {
          const [disk, place] = [join(folder, `${run}`), join(folder, `${run}-memory`)];
          const memory = other(files, place);
          await memory.makeFolder(place, true);
          await Deno.mkdir(disk);
          const done: string[] = [];
          for (let step = 0; step < 60; step++) {
            const operation = someOperation(random);
            done.push(operation[0]);
            const inMemory = await outcome(operation, memory, (path) => `${place}/${path}`);
            const onDisk = await outcome(operation, files, (path) => `${disk}/${path}`);
            assert.deepEqual(inMemory, onDisk, `${run}: ${done.join("; ")}`);
          }
          await assert.rejects(Deno.lstat(place), Deno.errors.NotFound);
          assert.deepEqual(await tree(memory, place), await tree(files, disk), `${run}: ${done.join("; ")}`);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("of a folder in memory the others are the place's, and nothing moves from one to the other", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const files = memoryWithin(join(folder, "run"), denoFiles);
    assert.equal(
      await outcome(["look", (files, at) => files.look(at("run"))], files, (name) => join(folder, name)),
      "ENOENT",
    );
    await files.makeFolder(join(folder, "run"), true);
    await files.write(join(folder, "run.txt"), Uint8Array.of(1));
    await files.write(join(folder, "run", "..", "run", "own.txt"), Uint8Array.of(2));
    assert.deepEqual([...await Deno.readFile(join(folder, "run.txt"))], [1]);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), ["run.txt"]);
    assert.deepEqual([...await files.read(join(folder, "run", "own.txt"))], [2]);
    await assert.rejects(
      files.rename(join(folder, "run", "own.txt"), join(folder, "own.txt")),
      /one of them is in memory/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
