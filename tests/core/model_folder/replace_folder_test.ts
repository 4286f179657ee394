import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../../core/errors.ts";
import { lockFolder } from "../../../core/lock.ts";
import { replaceModelFolder } from "../../../core/model_folder/replace_folder.ts";
import { CAN_MOUNT, withSmallDisk } from "../../support/small_disk.ts";
import { namesIn, textOf } from "../../support/run_files.ts";

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a model whose files say of which it is. */
const model = (name: string, config = name) => async (to: string) => {
  for (const file of ["model.safetensors", "preprocessor_config.json"]) await Deno.writeTextFile(join(to, file), name);
  await Deno.writeTextFile(join(to, "config.json"), config);
};

const FILES = ["config.json", "model.safetensors", "preprocessor_config.json"];

/** What each file of a folder is of, after each change that `body` makes to files. */
async function statesDuring(folder: string, body: () => Promise<void>): Promise<(string | null)[][]> {
  const states: (string | null)[][] = [];
  const { rename, remove } = Deno;
  const noting = <Args extends unknown[]>(own: (...args: Args) => Promise<void>) => async (...args: Args) => {
    await own(...args);
    states.push(await Promise.all(FILES.map((file) => textOf(folder, file))));
  };
  try {
    Deno.rename = noting(rename);
    Deno.remove = noting(remove);
    await body();
  } finally {
    Object.assign(Deno, { rename, remove });
  }
  return states;
}

Deno.test("a model that replaces another is never mixed with it: without config.json in between, the user's files stay", () =>
  inTemporaryFolder(async (parent) => {
    const folder = join(parent, "model");
    await replaceModelFolder(folder, model("old"));
    assert.deepEqual([namesIn(parent), namesIn(folder)], [["model"], FILES]);
    await Deno.writeTextFile(join(folder, "README.md"), "mine");
    const states = await statesDuring(folder, () => replaceModelFolder(`${folder}/`, model("new")));
    assert.ok(states.length >= 4);
    for (const [config, ...others] of states) {
      assert.ok(config === null || others.every((of) => of === config), JSON.stringify(states));
    }
    assert.deepEqual(states.at(-1), ["new", "new", "new"]);
    assert.deepEqual([namesIn(parent), namesIn(folder)], [["model"], ["README.md", ...FILES]]);
  }));

Deno.test("a model that differs in its weights only is whole at every moment", () =>
  inTemporaryFolder(async (parent) => {
    const folder = join(parent, "model");
    await replaceModelFolder(folder, model("old", "same"));
    const states = await statesDuring(folder, () => replaceModelFolder(folder, model("new", "same")));
    assert.ok(states.every((files) => !files.includes(null)), JSON.stringify(states));
    assert.deepEqual(states.at(-1), ["same", "new", "new"]);
  }));

Deno.test("a model that cannot be written leaves the one before, and nothing beside it", () =>
  inTemporaryFolder(async (parent) => {
    const folder = join(parent, "model");
    await replaceModelFolder(folder, model("old"));
    const full = async (to: string) => {
      await Deno.writeTextFile(join(to, "model.safetensors"), "half");
      throw new UserError("the disk is full");
    };
    await assert.rejects(replaceModelFolder(folder, full), { message: "the disk is full" });
    assert.deepEqual([namesIn(parent), namesIn(folder)], [["model"], FILES]);
    assert.equal(await textOf(folder, "model.safetensors"), "old");
    const fresh = join(parent, "fresh");
    await assert.rejects(replaceModelFolder(fresh, full), { message: "the disk is full" });
    assert.deepEqual(namesIn(parent), ["model"]);
  }));

Deno.test("what a killed merge left is not taken over, and a merge under way is not disturbed", () =>
  inTemporaryFolder(async (parent) => {
    const [fresh, old] = [join(parent, "fresh"), join(parent, "old")];
    await replaceModelFolder(old, model("old"));
    for (const [folder, unverified] of [[fresh, join(fresh, ".unverified")], [old, join(old, ".unverified")]]) {
      await Deno.mkdir(join(unverified, "more"), { recursive: true });
      await Deno.writeTextFile(join(unverified, "tokenizer.json"), "of another");
      {
        using _lock = await lockFolder(unverified, "x");
        await assert.rejects(replaceModelFolder(folder, model("new")), {
          name: "UserError",
          message: `Cannot write to "${unverified}" as another merge writes to it (process ${Deno.pid}): wait for it ` +
            "to end, or name another folder",
        });
        assert.deepEqual(namesIn(unverified), [".lock", "more", "tokenizer.json"]);
      }
      await replaceModelFolder(folder, model("new"));
      assert.deepEqual(namesIn(folder), FILES);
      assert.equal(await textOf(folder, "config.json"), "new");
    }
    assert.deepEqual(namesIn(parent), ["fresh", "old"]);
  }));

Deno.test("a file, or a link to nowhere, in the way of a model is told before it is made", () =>
  inTemporaryFolder(async (parent) => {
    const [file, link] = [join(parent, "file"), join(parent, "link")];
    await Deno.writeTextFile(file, "mine");
    await Deno.symlink(join(parent, "nowhere"), link);
    for (const path of [file, link]) {
      await assert.rejects(replaceModelFolder(path, () => assert.fail("it was made")), {
        name: "UserError",
        message:
          `Cannot make the model folder "${path}" as there is a file of that name: move it away, or name another`,
      });
    }
    assert.deepEqual(namesIn(parent), ["file", "link"]);
  }));

Deno.test({
  name: "a model goes into a folder that is a file system of its own",
  ignore: !CAN_MOUNT,
  fn: () =>
    withSmallDisk(2 ** 16, async ({ folder }) => {
      await replaceModelFolder(folder, model("new"));
      assert.deepEqual(namesIn(folder), FILES);
    }),
});

Deno.test("a model of vectors takes its folders along, and has no config.json while its pooling is another's", () =>
  inTemporaryFolder(async (parent) => {
    const folder = join(parent, "model");
    const pooling = (name: string, how: string) => async (to: string) => {
      await model(name, "same")(to);
      await Deno.mkdir(join(to, "1_Pooling"));
      await Deno.writeTextFile(join(to, "1_Pooling/config.json"), how);
    };
    await replaceModelFolder(folder, model("plain", "same"));
    await replaceModelFolder(folder, pooling("old", "mean"));
    assert.equal(await textOf(folder, "1_Pooling/config.json"), "mean");
    const states = await statesDuring(folder, () => replaceModelFolder(folder, pooling("new", "cls")));
    assert.ok(states.some(([config]) => config === null), "of two models it is none");
    assert.equal(await textOf(folder, "1_Pooling/config.json"), "cls");
    const same = await statesDuring(folder, () => replaceModelFolder(folder, pooling("newer", "cls")));
    assert.ok(same.every(([config]) => config === "same"));
  }));
