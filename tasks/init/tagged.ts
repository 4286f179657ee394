import { commentTest } from "../../plugins/datasets/text/conll_format.ts";
import { line } from "./entries.ts";
import { type FoundData, nameFrom } from "./found.ts";
import { startOf } from "./listing.ts";

/** Tags of spans, in all schemes that are scored. */
const TAG = /^(?:O|[BILUESMW]|[BILUESMW]-\S+|\S+-[BILUESMW])$/;

/** Whether a file is CoNLL's by its content: words with columns, the last of which is a tag. */
export async function isTagged(path: string): Promise<boolean> {
  let text: string;
  try {
    // It may end within a letter.
    text = new TextDecoder("utf-8", { fatal: true }).decode(await startOf(path), { stream: true });
  } catch {
    return false;
  }
  const all = text.split(/\r?\n/).slice(0, -1);
  const isComment = commentTest(all, { tag: -1 });
  const lines = all.filter((line) => !line.startsWith("-DOCSTART-") && !isComment(line));
  const words = lines.filter((line) => line.trim() !== "").map((line) => line.trim().split(/[\t ]+/));
  return words.length >= 2 && lines.some((line) => line.trim() === "") &&
    words.every((cells) => cells.length >= 2 && cells.length === words[0].length && TAG.test(cells.at(-1)!)) &&
    words.some((cells) => cells.at(-1) !== "O");
}

/** Two files of tagged sentences. */
export function taggedFiles(train: string, test: string, base: string): FoundData {
  return {
    what: "sentences with a tag for each word",
    use: "conll",
    options: [
      line("train", nameFrom(base, train)),
      line("test", nameFrom(base, test)),
    ],
  };
}
