import { UserError } from "../../../core/errors.ts";
import { isJsonObject, parseJson, showJson } from "../../../core/json.ts";
import { isMissing, readTextIfThere, readUserFile } from "../../../core/files.ts";
import { join } from "../../../core/paths.ts";
import type { Batch, HostTensor } from "../../../core/plugin/dataset.ts";
import type { FolderTokenizer } from "../../../core/predict/inputs.ts";
import { openTokenizer } from "./open_tokenizer.ts";
import { type LabelledText, textExamples } from "./text_examples.ts";

/**
 * The tokenizer in a model's folder, `tokenizer.json` or `vocab.txt`, by which texts become the model's batches; `null`
 * if there is none. Texts are cut where `tokenizer_config.json` says it, and at the most tokens that the model takes.
 *
 * @throws UserError for files that are not a tokenizer's
 */
export async function openFolderTokenizer(folder: string, maxLength: number): Promise<FolderTokenizer | null> {
  const most = Math.min(maxLength, await statedLength(folder));
  const options = { tokenizer: folder, lowercase: true, vocabularySize: 0, maxLength: most };
  const readFile = (file: unknown, what: string) => readUserFile(String(file), what);
  const opened = await openTokenizer(options, [], { readFile }).catch((error) => {
    if (error instanceof UserError && isMissing(error.cause)) return null;
    throw error;
  });
  if (!opened) return null;
  const { tokenizer } = opened;
  const batchOf = (texts: readonly LabelledText[]): Batch<HostTensor> =>
    textExamples(texts, null, tokenizer.padding, most).batch(Uint32Array.from(texts, (_, index) => index));
  return {
    vocabulary: tokenizer.vocabulary,
    batch(texts, cut) {
      const encoded = texts.map((text) =>
        typeof text === "string" ? tokenizer.encode(text) : tokenizer.encode(...text)
      );
      encoded.forEach((text, index) => text.cut && cut?.(index));
      const { label: _, ...batch } = batchOf(encoded.map((text) => ({ ...text, label: 0 })));
      return batch;
    },
    wordBatch(sentences) {
      const encoded = sentences.map((words) => tokenizer.encodeWords(words));
      const labels = encoded.map(({ wordOf }) =>
        Int16Array.from(wordOf, (word, place) => word >= 0 && word !== wordOf[place - 1] ? 0 : -1)
      );
      const places = labels.map((label) => [...label.keys()].filter((place) => label[place] === 0));
      return { batch: batchOf(encoded.map((text, index) => ({ ...text, label: labels[index] }))), places };
    },
  };
}

/** The most tokens of a text by the tokenizer's own description; Hugging Face writes 1e30 for no bound. */
async function statedLength(folder: string): Promise<number> {
  const file = join(folder, "tokenizer_config.json");
  const text = await readTextIfThere(file, "the tokenizer");
  if (text === null) return Infinity;
  const config = parseJson(text, (reason) => new UserError(`Cannot read the tokenizer "${file}" as ${reason}`));
  const length = isJsonObject(config) ? config.model_max_length ?? Infinity : Infinity;
  if (typeof length === "number" && length >= 1) return Math.floor(length);
  throw new UserError(
    `Cannot read model_max_length in "${file}": expected a whole number from 1, got ${showJson(length)}`,
  );
}
