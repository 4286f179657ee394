import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { readStoredTensors } from "../../../core/model_folder/stored_tensors.ts";
import { toFloat32, writeSafetensors } from "../../../core/safetensors.ts";

const INDEX = "model.safetensors.index.json";

/** A folder with two shards and what each test makes of their index. */
async function withShards(body: (folder: string, index: (value: unknown) => Promise<void>) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    const tensor = (value: number) => ({ shape: [2], data: Float32Array.of(value, -value) });
    await writeSafetensors(join(folder, "a.safetensors"), new Map([["x", tensor(1)], ["y", tensor(2)]]));
    await writeSafetensors(join(folder, "b.safetensors"), new Map([["z", tensor(3)]]));
    await body(folder, (value) => Deno.writeTextFile(join(folder, INDEX), JSON.stringify(value)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("weights in several files are read by their index, from the folder or the index itself", () =>
  withShards(async (folder, index) => {
    await index({ metadata: { total_size: 24 }, weight_map: { z: "b.safetensors", x: "a.safetensors" } });
    for (const path of [folder, join(folder, INDEX)]) {
      const { file, tensors } = await readStoredTensors(path);
      assert.equal(file, join(folder, INDEX));
      assert.deepEqual([...tensors.keys()].sort(), ["x", "z"]);
      assert.deepEqual([...toFloat32(tensors.get("z")!)], [3, -3]);
    }
    await writeSafetensors(
      join(folder, "model.safetensors"),
      new Map([["w", { shape: [], data: Float32Array.of(4) }]]),
    );
    assert.deepEqual([...(await readStoredTensors(folder)).tensors.keys()], ["w"], "one file counts more");
  }));

Deno.test("an index that cannot be followed is refused in one sentence", () =>
  withShards(async (folder, index) => {
    const refused = (message: RegExp) =>
      assert.rejects(() => readStoredTensors(folder), { name: "UserError", message });
    await index({ weight_map: { x: "../a.safetensors" } });
    await refused(/it places x in "\.\.\/a\.safetensors": expected a file of its folder$/);
    const outside = [
      "",
      ".",
      "..",
      "a/../../x",
      "/etc/hosts",
      "C:\\x",
      "sub\\x",
      "file:///x",
      "a\0",
      3,
      null,
      "x".repeat(256),
    ];
    for (const name of outside) {
      await index({ weight_map: { x: name } });
      await refused(/^Cannot read the index ".*" as it places x in .*: expected a file of its folder$/);
    }
    await index({ weight_map: { x: "b.safetensors" } });
    await refused(/as "b\.safetensors" lacks the tensor x that it names$/);
    await index({ weight_map: { x: "c.safetensors" } });
    await refused(/c\.safetensors" as there is no such file or folder$/);
    await index({});
    await refused(/it has no weight_map$/);
    await Deno.writeTextFile(join(folder, INDEX), "{");
    await refused(/it is no JSON: it ends too early$/);
    await Deno.writeTextFile(join(folder, INDEX), '{"weight_map": {"x": "a.safetensors", "x": "b.safetensors"}}');
    await refused(/as it has the key "x" twice in one object$/);
  }));

Deno.test("a symbolic link out of the folder is refused, unless the index is a link to the same place", () =>
  withShards(async (folder, index) => {
    const own = join(folder, "snapshot");
    await Deno.mkdir(own);
    await index({ weight_map: { x: "a.safetensors" } });
    await Deno.symlink(join(folder, "a.safetensors"), join(own, "a.safetensors"));
    await Deno.copyFile(join(folder, INDEX), join(own, INDEX));
    await assert.rejects(() => readStoredTensors(own), {
      name: "UserError",
      message: `Cannot read the index "${
        join(own, INDEX)
      }" as it places x in "a.safetensors": expected a file of its folder`,
    });
    // As all files are in Hugging Face's cache.
    await Deno.remove(join(own, INDEX));
    await Deno.symlink(join(folder, INDEX), join(own, INDEX));
    assert.deepEqual([...(await readStoredTensors(own)).tensors.keys()], ["x"]);
  }));
