import assert from "node:assert/strict";
import { join } from "node:path";
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
    await index({ weight_map: { x: "b.safetensors" } });
    await refused(/as "b\.safetensors" lacks the tensor x that it names$/);
    await index({ weight_map: { x: "c.safetensors" } });
    await refused(/c\.safetensors" as there is no such file or folder$/);
    await index({});
    await refused(/it has no weight_map$/);
    await Deno.writeTextFile(join(folder, INDEX), "{");
    await refused(/it is no JSON: /);
  }));
