import assert from "node:assert/strict";
import { join } from "node:path";
import { runHere } from "../support/run_here.ts";
import { CHECKOUT, runTask } from "../support/task.ts";

const model = (name: string) => join(CHECKOUT, "plugins", "models", "data", name);

/** Runs the verb, which needs no GPU. */
const run = (folder: string, ...flags: string[]) => runHere("export", [folder, "--backend", "cpu", ...flags]);

Deno.test("export writes what transformers.js loads, and tells how onnxruntime's logits differ", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const out = join(folder, "mail");
    const { code, stdout, stderr } = await runTask("export", [
      ...[model("mail-bert4"), "--to", "onnx", "--out", out],
      ...["--backend", "cpu"],
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /mail\/onnx\/model\.onnx: fp32, 2\.25 MB, \d+ operators of opset 21\n/);
    assert.match(
      stdout,
      /run by onnxruntime: logits of up to \d\.\d+ differ by up to [\d.e-]+ from the model's own on 9 made up /,
    );
    const names: string[] = [];
    for (const part of ["", "onnx"]) {
      for await (const { name, isFile } of Deno.readDir(join(out, part))) if (isFile) names.push(join(part, name));
    }
    assert.deepEqual(names.sort(), ["config.json", "onnx/model.onnx", "tokenizer.json", "tokenizer_config.json"]);
    const config = JSON.parse(await Deno.readTextFile(join(out, "config.json")));
    assert.deepEqual([config.model_type, config.id2label], ["bert", { 0: "ham", 1: "spam" }]);
    // Another precision of the same weights comes beside it.
    const quantised = await run(model("mail-bert4"), "--to", "onnx", "--precision", "int8", "--out", out, "--json");
    const { files: [file] } = JSON.parse(quantised.stdout);
    assert.deepEqual([file.file, file.metrics], ["onnx/model_quantized.onnx", null]);
    assert.ok(file.bytes < 0.6e6 + 0.25e6, `${file.bytes}`);

    const refused = async (source: string, flags: readonly string[], says: RegExp) => {
      const { code, stdout, stderr } = await run(source, ...flags);
      assert.deepEqual([code, stdout.replace(/^Backend .*\n/, "")], [2, ""]);
      assert.match(stderr, says);
    };
    const other = model("fashion-resnet20");
    await refused(other, ["--to", "onnx", "--out", out], /^Cannot export to ".*" as there is another model, or the /);
    await refused(out, ["--to", "onnx", "--precision", "fp8"], /^--precision fp8: Expected fp32, fp16 or int8\n$/);
    for (const [flag, value] of [["--set", "train.epochs=3"], ["--seed", "3"]]) {
      const says = new RegExp(
        `^${flag} ${value}: Cannot change a recipe as there is none near ".*": name one with --r`,
      );
      await refused(other, ["--to", "onnx", flag, value], says);
    }
    await refused(other, ["--to", "onnx", "--backend", "gpu"], /^--backend gpu: Expected auto, webgpu or cpu\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a processor of pictures is written only where something says how their pixels are normalised", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const fixture = (name: string) => join(CHECKOUT, "tests", "fixtures", "vit", name);
    const config = JSON.parse(await Deno.readTextFile(fixture("vit.json")));
    const id2label = { 0: "north", 1: "east", 2: "south", 3: "west" };
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ ...config, id2label }));
    await Deno.copyFile(fixture("vit.safetensors"), join(folder, "model.safetensors"));
    const [bare, said] = [join(folder, "bare"), join(folder, "said")];
    const { code, stdout, stderr } = await run(folder, "--to", "onnx", "--out", bare);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^No preprocessor_config\.json is written, as nothing in ".*" says how pixels are normalised: /m,
    );
    const names = async (out: string) => (await Array.fromAsync(Deno.readDir(out))).map(({ name }) => name).sort();
    assert.deepEqual(await names(bare), ["config.json", "onnx"]);
    const processor = { size: { height: 9, width: 6 }, image_mean: [0.4, 0.5, 0.6], image_std: [0.2, 0.2, 0.2] };
    await Deno.writeTextFile(join(folder, "preprocessor_config.json"), JSON.stringify(processor));
    const other = await run(folder, "--to", "onnx", "--out", said);
    assert.doesNotMatch(other.stdout, /No preprocessor_config/);
    assert.deepEqual(await names(said), ["config.json", "onnx", "preprocessor_config.json"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
