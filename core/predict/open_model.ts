import { expectArguments } from "../arguments.ts";
import type { Backend } from "../backend/backend.ts";
import { UserError } from "../errors.ts";
import { readImageProcessor } from "../model_folder/image_processor.ts";
import { readDescribedModel } from "../model_folder/read_architecture.ts";
import { readTemperature } from "../model_folder/temperature.ts";
import { readModelWeights } from "../model_folder/read_weights.ts";
import { freeze } from "../nn/frozen_weights.ts";
import { openExport } from "../onnx/open_export.ts";
import { createOps, type Ops } from "../ops/ops.ts";
import { dirname } from "../paths.ts";
import type { ImageInput } from "../plugin/dataset.ts";
import type { Builtins } from "../plugin/registry.ts";
import type { TokenizerOpener } from "./inputs.ts";
import { LoadedModel } from "./loaded_model.ts";

/** Where a model computes: on a backend, or with operations that are there already. */
export type ComputingOn = { readonly backend: Backend } | { readonly ops: Ops };

/** How a model folder is opened. */
export type OpenFolderOptions = ComputingOn & {
  /** The model plug-ins that may be meant. */
  readonly builtins: Pick<Builtins, "model">;
  /** Opens the folder's tokenizer. */
  readonly tokenizer: TokenizerOpener;
  /** Mean and deviation of pixels from 0 to 1, one number for each channel, in place of what the folder says. */
  readonly normalise?: ImageInput["normalise"];
  /** Takes lines for the user, such as that position embeddings were interpolated. */
  readonly report?: (line: string) => void;
};

/**
 * Opens a model folder as its config.json describes it, without a data set. One without weights that this program
 * exported to ONNX answers by onnxruntime.
 *
 * @throws UserError if a file is missing or wrong, or no plug-in builds such a model
 */
export async function openModelFolder(folder: string, options: OpenFolderOptions): Promise<LoadedModel> {
  expectArguments("openModel", { folder: [folder, "a path"], options: [options, "a map"] });
  expectArguments(
    "openModel",
    "ops" in options
      ? { "options.ops": [options.ops, "operations (see createOps)"] }
      : { "options.backend": [options.backend, "a backend (see openBackend)"] },
  );
  const { builtins, tokenizer: openTokenizer, report } = options;
  const { model, architecture, input, file, saysNormalisation } = await readDescribedModel(folder, builtins.model);
  const home = dirname(file);
  const { image, text } = input;
  const normalise = image &&
    (options.normalise ??
      (saysNormalisation ? image.normalise : (await readImageProcessor(home))?.normalise(image.size[2]) ?? null));
  const tokenizer = text && await openTokenizer(home, text.maxLength);
  if (text && tokenizer && tokenizer.vocabulary > text.vocabulary) {
    throw new UserError(
      `Cannot use the tokenizer in "${home}": it has ${tokenizer.vocabulary} tokens, and the model ${text.vocabulary}`,
    );
  }
  const temperature = await readTemperature(home);
  const parts = { folder: home, architecture, input, normalise, tokenizer, temperature };
  const exported = await openExport(home, { model, input });
  const numbers = exported ? new Map() : await readModelWeights(home, model, "model", { report });
  const ops = "ops" in options ? options.ops : createOps(options.backend);
  if (!exported) return new LoadedModel({ ...parts, ops, model, weights: freeze(ops, model, numbers), exported });
  report?.(`${exported.path} computes in onnxruntime`);
  return new LoadedModel({
    ...parts,
    ops,
    model: exported.model,
    weights: freeze(ops, exported.model, numbers),
    exported,
  });
}
