import { lookAt } from "../files.ts";
import { basename, dirname, join } from "../paths.ts";
import { CONFIG_FILE, readConfigIfThere } from "./config_file.ts";

/** The folder of the ONNX files in a model folder, as Hugging Face and transformers.js have it. */
export const MODELS = "onnx";

/** The key of an export's config.json, and of its ONNX files' metadata, that has the SHA-256 of the model's weights. */
export const EXPORTED_FROM = "exportedFrom";

/**
 * The folder whose files say what a model takes and answers: its own, the one that its file is in, or the export's that
 * its file was written to, whose ONNX files have a folder of their own.
 *
 * @param path the model's folder, or a file in it
 * @throws UserError for a config.json that cannot be read
 */
export async function describingFolder(path: string): Promise<string> {
  if ((await lookAt(path))?.kind === "folder") return path;
  const own = dirname(path);
  if (basename(own) !== MODELS || !path.endsWith(".onnx") || await lookAt(join(own, CONFIG_FILE)) !== null) return own;
  const above = dirname(own);
  const config = await readConfigIfThere(join(above, CONFIG_FILE));
  return typeof config?.[EXPORTED_FROM] === "string" ? above : own;
}
