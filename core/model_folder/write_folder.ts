import { makeFolder, writeFileAtomically } from "../files.ts";
import { dirname, join } from "../paths.ts";
import type { InputDescription } from "../plugin/dataset.ts";
import type { Model } from "../plugin/model.ts";
import { writeSafetensors } from "../safetensors.ts";
import { CONFIG_FILE } from "./config_file.ts";
import { imageProcessorFiles } from "./image_processor.ts";
import { WEIGHTS_FILE } from "./stored_tensors.ts";
import { tokenizerFiles } from "./tokenizer_files.ts";

/**
 * Writes a model folder: `config.json` says what the model is and what it expects, `model.safetensors` holds the
 * tensors under their foreign names in PyTorch's axis order. Beside them stand the files by which Hugging Face's
 * tokenizer or image processor makes a model's inputs.
 *
 * @param architecture the plug-in's name
 * @param run the id of the run that made it, which its config.json says
 */
export async function writeModelFolder(
  folder: string,
  architecture: string,
  model: Model,
  data: InputDescription,
  weights: ReadonlyMap<string, Float32Array>,
  run: string | null = null,
): Promise<void> {
  await makeFolder(folder, "the model folder");
  const own = new Map(
    model.parameters.map(({ name, shape }) => [name, { shape, numbers: () => weights.get(name)! }]),
  );
  const tensors = new Map(
    [...model.toFile?.(own) ?? own].map(([name, { shape, numbers }]) => [name, { shape, data: numbers() }]),
  );
  const config = {
    architecture,
    ...model.config,
    task: data.task,
    input: inputEntries(data),
    labels: data.classes,
    ...(run && { run }),
  };
  await writeSafetensors(join(folder, WEIGHTS_FILE), tensors, { format: "pt" });
  const inputFiles = data.text ? tokenizerFiles(model, data.text) : imageProcessorFiles(data.image!);
  for (const [name, bytes] of Object.entries(inputFiles)) {
    await writeFileAtomically(join(folder, name), bytes);
  }
  for (const [path, text] of Object.entries(model.files ?? {})) {
    await makeFolder(dirname(join(folder, path)), "the model folder");
    await writeFileAtomically(join(folder, path), text);
  }
  await writeFileAtomically(join(folder, CONFIG_FILE), JSON.stringify(config, null, 2) + "\n");
}

/** What the model expects, as `config.json` says it. */
function inputEntries({ image, text }: InputDescription): Record<string, unknown> {
  if (image) {
    const { size: [height, width, channels], normalise, orient = true } = image;
    const layout = "NHWC in this program, NCHW in PyTorch";
    return { height, width, channels, layout, normalise, ...(!orient && { orient }) };
  }
  const { vocabulary, maxLength, padding } = text!;
  return { vocabulary, maxLength, padding };
}
