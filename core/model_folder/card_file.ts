import { stringify } from "yaml";
import { kindOfPath, readTextIfThere, removePath, writeFileAtomically } from "../files.ts";
import { join } from "../paths.ts";
import { visible } from "../visible.ts";

/** A model's card, as Hugging Face's pages show it: Markdown below metadata in YAML. */
export const CARD_FILE = "README.md";

/** The first lines of a card that this program wrote. */
const HEAD = /^---\n# run [0-9a-f-]+\n/;

/**
 * Writes a model's card into its folder.
 *
 * @param run the id of the run that made the model
 * @param metadata what stands above the text; entries that are `undefined` are left out
 * @param lines the text
 */
export async function writeCard(
  folder: string,
  run: string,
  metadata: Readonly<Record<string, unknown>>,
  lines: readonly string[],
): Promise<void> {
  await writeFileAtomically(
    join(folder, CARD_FILE),
    `---\n# run ${run}\n${pythonsYaml(metadata)}---\n\n${lines.join("\n")}\n`,
  );
}

/**
 * YAML as Python's reader, and so Hugging Face's, takes it: of version 1.1, where `on`, `1_0` and `12:30` are no
 * strings, where a number with an exponent has a point, and where three more characters end a line.
 */
function pythonsYaml(value: Readonly<Record<string, unknown>>): string {
  const oneLine = (_: unknown, part: unknown) =>
    typeof part === "string" ? part.replaceAll(/[\u0085\u2028\u2029]/g, visible) : part;
  const yaml = stringify(value, oneLine, {
    version: "1.1",
    lineWidth: 0,
    blockQuote: false,
    aliasDuplicateObjects: false,
  });
  return yaml.replaceAll(/(?<=: -?\d)(?=e[+-]?\d+$)/gm, ".0");
}

/** Takes away a card that this program wrote, as it tells of another model than the folder is about to have. */
export async function removeOwnCard(folder: string): Promise<void> {
  const file = join(folder, CARD_FILE);
  if (await kindOfPath(file) !== "file") return;
  if (HEAD.test(await readTextIfThere(file, "the model's card") ?? "")) await removePath(file);
}

/** A name or a sentence as plain text within a line of Markdown, whatever stands in it. */
export function inline(text: string): string {
  return visible(text).replaceAll(/[\\`*_{}[\]<>#|~&$!]/g, "\\$&");
}

/** A text as code within a line or a cell of Markdown. */
export function code(text: string): string {
  const shown = visible(text).replaceAll("|", "\\|");
  const fence = "`".repeat(1 + Math.max(0, ...Array.from(shown.matchAll(/`+/g), ([run]) => run.length)));
  const padding = /^`|`$/.test(shown) ? " " : "";
  return `${fence}${padding}${shown}${padding}${fence}`;
}

/** A block of code that stands by itself. */
export function codeBlock(language: string, text: string): string[] {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}${language}`, text.trimEnd(), fence];
}

/**
 * A table of Markdown.
 *
 * @param rows cells in Markdown, the head first
 * @param numbers whether all columns but the first are of numbers, which stand right
 */
export function table([head, ...rows]: readonly (readonly string[])[], numbers = true): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => numbers && column > 0 ? "---:" : "---")), ...rows.map(line)];
}
