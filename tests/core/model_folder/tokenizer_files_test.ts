import assert from "node:assert/strict";
import { tokenizerFiles } from "../../../core/model_folder/tokenizer_files.ts";

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
