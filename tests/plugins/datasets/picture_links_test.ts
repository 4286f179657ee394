import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { imageFolder } from "../../../plugins/datasets/image_folder.ts";
import { loadPictures, noisePng } from "../../support/pictures.ts";

/** Loads a folder of pictures into which `change` has put something else. */
async function load(change: (folder: string) => Promise<void>) {
  const base = await Deno.makeTempDir();
  const folder = join(base, "pets");
  try {
    for (const [seed, name] of ["train/cat", "train/dog", "test/cat", "test/dog"].entries()) {
      await Deno.mkdir(join(folder, name), { recursive: true });
      await Deno.writeFile(join(folder, name, "1.png"), noisePng(seed, 2));
    }
    await Deno.writeFile(join(base, "secret.png"), noisePng(9, 2));
    await change(folder);
    return await loadPictures(imageFolder, { folder, cache: false });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

const link = (to: string, ...at: string[]) => (folder: string) => Deno.symlink(to, join(folder, ...at));
const refused = (change: (folder: string) => Promise<void>, message: RegExp) =>
  assert.rejects(load(change), { name: "UserError", message });

Deno.test("a link to a file of the folder is that file; one that leads out, or nowhere, is refused", async () => {
  const { splits, warnings } = await load(link("../../train/cat/1.png", "train", "cat", "2.png"));
  assert.equal(splits.train.length, 3);
  assert.equal(warnings, undefined, "twice in one split is no fault");
  await refused(
    link("../../../secret.png", "train", "cat", "2.png"),
    /pets\/train\/cat\/2\.png" as it is a link that leads out/,
  );
  await refused(link("/etc/passwd", "train", "cat", "2.png"), /as it is a link that leads out of the folder/);
  await refused(link("nothing.png", "train", "cat", "2.png"), /as it is a link to nothing: leave it out$/);
  await refused(
    link("cat", "train", "cow"),
    /as it is a link to something else than a file: put the files themselves there$/,
  );
});

Deno.test("what is no file is not read: a pipe has no end", async () => {
  const pipe = async (folder: string) => {
    const { success } = await new Deno.Command("mkfifo", { args: [join(folder, "train", "cat", "2.png")] }).output();
    assert.ok(success);
  };
  await refused(pipe, /as it is neither a file nor a folder: leave it out$/);
});
