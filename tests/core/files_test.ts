import assert from "node:assert/strict";
import { join } from "node:path";
import "../../core/deno/install.ts";
import { UserError } from "../../core/errors.ts";
import { fileError, readUserFile, writeFileAtomically } from "../../core/files.ts";

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), (entry) => entry.name).sort();
}

Deno.test("what is written is what is read, as bytes and as text", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "a.bin");
    await writeFileAtomically(path, new Uint8Array([0, 255, 7]));
    assert.deepEqual(await readUserFile(path, "the file"), new Uint8Array([0, 255, 7]));
    await writeFileAtomically(path, "é");
    assert.deepEqual(await readUserFile(path, "the file"), new Uint8Array([0xc3, 0xa9]));
  }));

Deno.test("writing replaces the old file and leaves no other name in the folder", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "metrics.json");
    await writeFileAtomically(path, "a much longer first version");
    await writeFileAtomically(path, "second");
    assert.equal(await Deno.readTextFile(path), "second");
    assert.deepEqual(namesIn(folder), ["metrics.json"]);
  }));

Deno.test("a file that many write at once is written by each, as none takes another's for abandoned", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "shared");
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 12 }, () => writeFileAtomically(path, new Uint8Array(20_000))));
    }
    assert.deepEqual(namesIn(folder), ["shared"]);
  }));

Deno.test("a failed rename leaves the target as it was and no temporary file", () =>
  inTemporaryFolder(async (folder) => {
    const target = join(folder, "taken");
    await Deno.mkdir(join(target, "inside"), { recursive: true });
    await assert.rejects(
      writeFileAtomically(target, "text"),
      (error: Error) => error instanceof UserError && error.message.includes(`Cannot write "${target}" as`),
    );
    assert.deepEqual(namesIn(folder), ["taken"]);
    assert.deepEqual(namesIn(target), ["inside"]);
  }));

Deno.test("writing into a missing folder says so", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "missing", "a.txt");
    await assert.rejects(writeFileAtomically(path, "text"), {
      name: "UserError",
      message: `Cannot write "${path}" as its folder "${join(folder, "missing")}" is not there: make it, or see what ` +
        "moved or removed it",
    });
  }));

Deno.test("reading a missing file, a folder, or below a file names the path and what it was to be", () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const cases: [path: string, reason: string][] = [
      [join(folder, "absent.yaml"), "there is no such file or folder"],
      [folder, "it is a folder: a file is needed"],
      [join(file, "below"), "a part of the path is a file, not a folder"],
    ];
    for (const [path, reason] of cases) {
      await assert.rejects(readUserFile(path, "the recipe"), {
        name: "UserError",
        message: `Cannot read the recipe "${path}" as ${reason}`,
      });
    }
  }));

Deno.test({
  name: "reading without Deno's permission is the user's to mend",
  permissions: { read: false },
  fn: () =>
    assert.rejects(readUserFile("recipe.yaml", "the recipe"), {
      name: "UserError",
      message: 'Cannot read the recipe "recipe.yaml" as Deno was started without the permission for it: ' +
        "start it with --allow-read",
    }),
});

Deno.test("a refusal by the operating system is a user's error, an unknown failure stays what it is", () => {
  const refused = fileError(new Deno.errors.PermissionDenied("os error 13"), "read the weights", "w.safetensors");
  assert.ok(refused instanceof UserError);
  assert.equal(
    refused.message,
    'Cannot read the weights "w.safetensors" as the operating system refuses access to it',
  );
  const unknown = new TypeError("a bug of ours");
  assert.equal(fileError(unknown, "read", "x"), unknown);
});

Deno.test("what a killed process left of a file goes with its next write, what another is writing stays", () =>
  inTemporaryFolder(async (folder) => {
    const temporary = (name: string) => `.${name}.${crypto.randomUUID()}.tmp`;
    const [dead, alive, other, users] = [temporary("a.bin"), temporary("a.bin"), temporary("b.bin"), ".a.bin.mine.tmp"];
    for (const name of [dead, alive, other, users]) await Deno.writeTextFile(join(folder, name), "half");
    // Locks are held by open files, whoever opened them.
    using file = await Deno.open(join(folder, alive), { write: true });
    await file.lock(true);
    await writeFileAtomically(join(folder, "a.bin"), "whole");
    assert.deepEqual(namesIn(folder), ["a.bin", alive, other, users].sort());
  }));

Deno.test("what the system says by a number alone is the user's to mend as well", () => {
  const numbers: Partial<Record<typeof Deno.build.os, [number, string][]>> = {
    linux: [
      [
        27,
        "it becomes larger than its file system or a limit (ulimit -f) allows: raise that, or name a path on another disk",
      ],
      [122, "your share of the disk is used up: free some space, or name a path on another disk"],
      [116, "its network folder is gone: connect it again, or name another path"],
      [37, "its file system has no locks, by which two runs are kept apart: name a path on another disk"],
    ],
  };
  for (const [number, reason] of numbers[Deno.build.os] ?? []) {
    const error = fileError(new Error(`Words of the system (os error ${number}): writefile 'a'`), "write", "a");
    assert.ok(error instanceof UserError);
    assert.equal(error.message, `Cannot write "a" as ${reason}`);
  }
});
