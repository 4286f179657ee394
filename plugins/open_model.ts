import type { LoadedModel } from "../core/predict/loaded_model.ts";
import { type ComputingOn, type OpenFolderOptions, openModelFolder } from "../core/predict/open_model.ts";
import { builtins } from "./builtins.ts";
import { openFolderTokenizer } from "./datasets/text/folder_tokenizer.ts";

/** How a saved model is opened: on a `backend` or with `ops`, the rest as it is by default. */
export type OpenModelOptions = ComputingOn & Partial<Omit<OpenFolderOptions, "backend" | "ops">>;

/**
 * Opens a saved model, this program's or a Hugging Face folder, to run it: what it is and what it takes is read from
 * its `config.json`, and no data set is needed. Images are normalised as the folder says, and texts go through its
 * tokenizer.
 *
 * @param folder with `config.json`, `model.safetensors`, and for texts the tokenizer's files
 * @throws UserError if a file is missing or wrong, or no plug-in builds such a model
 *
 * @example Classes of images
 * ```ts
 * import { openBackend, openModel } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * {
 *   using model = await openModel("plugins/models/data/fashion-resnet20", { backend });
 *   const { labels, logits } = await model.predict({ images: new Uint8Array(2 * 28 * 28) });
 *   console.log(labels, logits);
 * }
 * await backend.close();
 * ```
 *
 * @example Tags of words, and the hidden states of a text
 * ```ts
 * import { createOps, openBackend, openModel } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * using model = await openModel("plugins/models/data/phrases-bert", { ops });
 * const [{ labels }] = await model.tag({ words: [["We", "hold", "these", "truths"]] });
 * console.log(labels);
 * const { hidden } = model.outputs({ words: [["We", "hold", "these", "truths"]] });
 * console.log(hidden.at(-1)!.shape); // [1, 16, 96]: one text, its tokens padded to 16
 * ```
 */
export async function openModel(folder: string, options: OpenModelOptions): Promise<LoadedModel> {
  return await openModelFolder(folder, { builtins, tokenizer: openFolderTokenizer, ...options });
}
