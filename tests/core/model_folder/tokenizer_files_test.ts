import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { hasTokenizer, isTokenizerOf, tokenizerFiles } from "../../../core/model_folder/tokenizer_files.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const text = { vocabulary: 9, padding: 0, maxLength: 24 };
const config = { tokenizer_class: "BertTokenizer", model_max_length: 512 };
const files = { "tokenizer.json": bytes({ version: "1.0" }), "tokenizer_config.json": bytes(config) };

Deno.test("a saved tokenizer cuts as the data set did, and gives what the model takes", () => {
  const read = (saved: Readonly<Record<string, Uint8Array>>) =>
    JSON.parse(new TextDecoder().decode(saved["tokenizer_config.json"]));
  const saved = tokenizerFiles({ textInputs: ["tokens", "mask"] }, { ...text, files });
  assert.deepEqual(read(saved), {
    tokenizer_class: "BertTokenizer",
    model_max_length: 24,
    model_input_names: ["input_ids", "attention_mask"],
  });
  assert.equal(saved["tokenizer.json"], files["tokenizer.json"]);
  const all = read(tokenizerFiles({}, { ...text, files }));
  assert.deepEqual(all.model_input_names, ["input_ids", "token_type_ids", "attention_mask"]);
});

Deno.test("files without a tokenizer's config are saved as they are", () => {
  const vocabulary = { "vocab.txt": bytes("a") };
  assert.equal(tokenizerFiles({}, { ...text, files: vocabulary }), vocabulary);
});

Deno.test("a folder's tokenizer is found by its files, and compared by its vocabulary", async () => {
  const folder = await Deno.makeTempDir();
  const write = (name: string, content: unknown) => Deno.writeFile(join(folder, name), bytes(content));
  assert.equal(await hasTokenizer(folder), false);
  await write("vocab.json", {});
  assert.equal(await hasTokenizer(folder), false, "merges.txt belongs to it");
  await write("merges.txt", "");
  assert.equal(await hasTokenizer(folder), true);
  const numbered = (version: string, vocab: Record<string, number>) => ({ version, model: { vocab } });
  const own = { ...text, files: { "tokenizer.json": bytes(numbered("1", { a: 0, b: 1 })) } };
  assert.equal(await isTokenizerOf(own, folder), false);
  await write("tokenizer.json", numbered("2", { a: 0, b: 1 }));
  assert.equal(await isTokenizerOf(own, folder), true);
  await write("tokenizer.json", numbered("1", { a: 1, b: 0 }));
  assert.equal(await isTokenizerOf(own, folder), false);
  assert.equal(await isTokenizerOf({ ...text, files: {} }, folder), false);
  await Deno.remove(folder, { recursive: true });
});
