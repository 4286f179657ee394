import assert from "node:assert/strict";
import "../../../core/deno/install.ts";
import { currentFiles, useFiles } from "../../../core/files/current.ts";
import { FileError, type Files } from "../../../core/files/files.ts";
import { memoryFiles } from "../../../core/files/memory_files.ts";
import { writeExport } from "../../../core/onnx/write_export.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** A config.json of an export of some weights. */
const configOf = (weights: string, more = {}) => JSON.stringify({ exportedFrom: weights, labels: ["x"], ...more });
const companions = (weights: string, more = {}) =>
  new Map([["config.json", bytes(configOf(weights, more))], ["preprocessor_config.json", bytes("{}")]]);

/** All files below a folder, with their texts. */
async function tree(files: Files, folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, kind } of await files.list(folder).catch(() => [])) {
    const path = `${folder}/${name}`;
    if (kind === "folder") Object.assign(found, { [`${path}/`]: "" }, await tree(files, path));
    else found[path] = new TextDecoder().decode(await files.read(path));
  }
  return found;
}

/** Runs `body` with files in memory; `fails` says which writes fail, as on a full disk. */
async function inMemory(body: (files: Files, fill: (fails: (path: string) => boolean) => void) => Promise<void>) {
  const [before, memory] = [currentFiles(), memoryFiles({ "runs/notes.txt": "mine" })];
  let full = (_path: string) => false;
  const files = new Proxy(memory, {
    get: (_, name: keyof Files) => {
      if (name === "write") return write;
      const part = memory[name];
      return typeof part === "function" ? part.bind(memory) : part;
    },
  });
  const write: Files["write"] = (path, content) =>
    full(path) ? Promise.reject(new FileError("ENOSPC", path)) : memory.write(path, content);
  useFiles(files);
  try {
    await body(files, (fails) => full = fails);
  } finally {
    useFiles(before);
  }
}

const exportTo = (out: string, weights: string, models: Readonly<Record<string, string>>, more = {}) =>
  writeExport(out, companions(weights, more), async (write) => {
    for (const [name, text] of Object.entries(models)) await write(name, bytes(text));
  });

Deno.test("an export is whole or not there: not with a full disk, nor where its check fails", async () => {
  await inMemory(async (files, fill) => {
    const before = await tree(files, "runs");
    for (const name of ["model.onnx", "config.json"]) {
      fill((path) => path.endsWith(name));
      await assert.rejects(() => exportTo("runs/out", "a", { "model.onnx": "1" }), /as the disk is full/);
      assert.deepEqual(await tree(files, "runs"), before);
    }
    fill(() => false);
    const failing = writeExport("runs/out", companions("a"), async (write) => {
      await write("model.onnx", bytes("1"));
      throw new Error("other logits");
    });
    await assert.rejects(() => failing, /other logits/);
    assert.deepEqual(await tree(files, "runs"), before);
    await exportTo("runs/out", "a", { "model.onnx": "1" });
    const out = {
      "runs/out/config.json": configOf("a"),
      "runs/out/preprocessor_config.json": "{}",
      "runs/out/onnx/": "",
    };
    assert.deepEqual(await tree(files, "runs"), {
      ...before,
      "runs/out/": "",
      ...out,
      "runs/out/onnx/model.onnx": "1",
    });
  });
});

Deno.test("other precisions of the same weights come beside, other weights are refused", async () => {
  await inMemory(async (files, fill) => {
    await exportTo("runs/out", "a", { "model.onnx": "1" });
    await exportTo("runs/out", "a", { "model_fp16.onnx": "2" });
    const whole = await tree(files, "runs");
    assert.deepEqual(Object.keys(whole).filter((path) => path.endsWith(".onnx")), [
      "runs/out/onnx/model.onnx",
      "runs/out/onnx/model_fp16.onnx",
    ]);
    await assert.rejects(() => exportTo("runs/out", "b", { "model.onnx": "3" }), {
      name: "UserError",
      message: /^Cannot export to "runs\/out" as there is another model, or the export of other weights: remove it, /,
    });
    fill((path) => path.endsWith("model.onnx"));
    await assert.rejects(() => exportTo("runs/out", "a", { "model.onnx": "3" }), /as the disk is full/);
    assert.deepEqual(await tree(files, "runs"), whole);
    fill(() => false);
    await assert.rejects(() => exportTo("runs/notes.txt", "a", {}), /as there is a file of that name: move it away/);
  });
});

Deno.test("an export is replaced where its model has another temperature, and refused where it has other labels", async () => {
  await inMemory(async (files) => {
    await exportTo("runs/out", "a", { "model.onnx": "1" });
    await exportTo("runs/out", "a", { "model_fp16.onnx": "2" }, { temperature: 1.5 });
    const whole = await tree(files, "runs/out");
    assert.equal(whole["runs/out/config.json"], configOf("a", { temperature: 1.5 }));
    assert.equal(whole["runs/out/onnx/model.onnx"], "1");
    for (const more of [{ labels: ["y"] }, { task: "tagging" }, { input: { height: 3 } }]) {
      await assert.rejects(() => exportTo("runs/out", "a", { "model.onnx": "3" }, more), /as there is another model, /);
    }
    await files.write("runs/out/config.json", bytes("{"));
    await assert.rejects(() => exportTo("runs/out", "a", { "model.onnx": "3" }), /as there is another model, /);
  });
});

Deno.test("two exports to one folder do not mix: the second is refused, and takes nothing from the first", async () => {
  await inMemory(async (files) => {
    await writeExport("runs/out", companions("a"), async (write) => {
      await write("model.onnx", bytes("1"));
      await assert.rejects(() => exportTo("runs/out", "a", { "model.onnx": "2" }), /as another export writes to it/);
    });
    assert.equal((await tree(files, "runs/out"))["runs/out/onnx/model.onnx"], "1");
  });
});
