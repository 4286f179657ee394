import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { readClassNames } from "../../../core/model_folder/class_names.ts";
import { describingFolder } from "../../../core/model_folder/describing_folder.ts";
import { readImageForm, tokenizerFolder } from "../../../core/model_folder/input_form.ts";

Deno.test("a file in an export's onnx/ has the classes, the tokenizer and the images of the folder above", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "onnx", "model_quantized.onnx");
    const normalise = { mean: [0.25], std: [0.5] };
    const config = {
      architecture: "resnet",
      labels: ["b", "a"],
      input: { height: 6, width: 6, channels: 1, normalise },
      exportedFrom: "a hash",
    };
    const write = (name: string, value: unknown) => Deno.writeTextFile(join(folder, name), JSON.stringify(value));
    await Deno.mkdir(join(folder, "onnx"));
    await Deno.writeTextFile(file, "");
    await write("config.json", config);
    await write("tokenizer.json", {});
    assert.equal(await describingFolder(file), folder);
    assert.deepEqual(await readClassNames(file), ["b", "a"]);
    const image = { size: [8, 8, 1] as [number, number, number], normalise: { mean: [0], std: [1] } };
    assert.deepEqual((await readImageForm(file, image))?.form.normalise, normalise);
    const named = await tokenizerFolder("student-onnx/onnx/model_quantized.onnx", () => file);
    assert.equal(named, "student-onnx");
    assert.equal(await tokenizerFolder(file, (name) => name), folder);

    // Another program's export is its own folder's, as before.
    await write("config.json", { ...config, exportedFrom: undefined });
    assert.equal(await describingFolder(file), join(folder, "onnx"));
    await write("config.json", config);
    await write("onnx/config.json", {});
    assert.equal(await describingFolder(file), join(folder, "onnx"), "what is beside it comes first");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
