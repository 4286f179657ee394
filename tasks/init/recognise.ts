import { basename, dirname, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import { listSome, listWords } from "../../core/recipe/words.ts";
import { ON_BAD } from "../../plugins/datasets/text/bad_examples.ts";
import type { Asking } from "./asking.ts";
import { classFoldersIn, loosePictures, mailsOfPackage } from "./class_folders.ts";
import { line } from "./entries.ts";
import type { DataFlags, FoundData } from "./found.ts";
import { cifarAmong, idxAmong } from "./image_files.ts";
import { listFolder } from "./listing.ts";
import { isTable } from "./read_rows.ts";
import { expectWhole, isBare, splitsAmong } from "./splits.ts";
import { recogniseTable } from "./tables.ts";
import { isTagged, taggedFiles } from "./tagged.ts";

/** What can be recognised, for messages. */
const KNOWN =
  "a table of texts or of paths of pictures (CSV, TSV, JSONL), IDX or CIFAR files, a CoNLL file, or a folder with a folder of e-mails or pictures for each class";

/** What a data set is wanted for. */
export interface Around {
  /** The folder of the recipe. */
  readonly base: string;
  /** Whether there is a teacher, which can do without labels. */
  readonly isTaught: boolean;
}

/** The flags that are about some data sets alone, and what these are called. */
const ABOUT: readonly (readonly [flags: readonly (keyof DataFlags)[], sets: readonly string[], expected: string])[] = [
  [["text", "pair"], ["text-table"], "a table of texts"],
  [["path", "pictures"], ["image-table"], "a table of paths of pictures"],
  [["test"], ["text-table", "image-table", "conll"], "a table or a CoNLL file"],
  [["label", "task"], ["text-table", "image-table"], "a table"],
  [["onBad"], ["text-table", "mail", "image-table", "image-folder"], "texts, e-mails or pictures in files"],
];

/**
 * Recognises a data set by its files.
 *
 * @param path a file, a folder, or an npm package of messages
 * @throws UserError if it is none that is known, or cannot be told and nobody is there to be asked
 */
export async function recognise(
  path: string,
  flags: DataFlags,
  asking: Asking,
  { base, isTaught }: Around,
): Promise<FoundData> {
  const found = await recogniseAny(path, flags, asking, { base, isTaught });
  for (const [names, sets, expected] of ABOUT) {
    const wrong = sets.includes(found.use) ? undefined : names.find((flag) => flags[flag] !== undefined);
    if (wrong === undefined) continue;
    const flag = wrong === "onBad" ? "on-bad" : wrong;
    throw new UserError(`--${flag} ${flags[wrong]}: Expected ${expected} as data: "${path}" is ${found.what}`);
  }
  return withOnBad(found, flags);
}

/** What is done about bad examples as the flag says. @throws UserError for another word */
function withOnBad(found: FoundData, { onBad }: DataFlags): FoundData {
  if (onBad === undefined) return found;
  if (!ON_BAD.some((known) => known === onBad)) {
    throw new UserError(`--on-bad ${onBad}: Expected ${listWords(ON_BAD, "or")}`);
  }
  return { ...found, options: [...found.options.filter(({ key }) => key !== "onBad"), line("onBad", onBad)] };
}

async function recogniseAny(
  path: string,
  flags: DataFlags,
  asking: Asking,
  { base, isTaught }: Around,
): Promise<FoundData> {
  if (path.startsWith("npm:")) return await mailsOfPackage(path);
  const kind = await kindOfPath(path);
  if (kind === null) throw new UserError(`--data ${path}: Cannot find a file or a folder of that name`);
  if (flags.test !== undefined && await kindOfPath(flags.test) !== "file") {
    throw new UserError(`--test ${flags.test}: Cannot find a file of that name`);
  }
  const found = kind === "file"
    ? await inFile(path, flags, asking, { base, isTaught })
    : await inFolder(path, flags, asking, { base, isTaught });
  if (found) return found;
  const { files, folders } = kind === "folder" ? await listFolder(path) : { files: [], folders: [] };
  const there = [...folders.map((name) => `${name}/`), ...files];
  const holds = kind === "file" ? "" : there.length > 0 ? `, it holds ${listSome(there, "and")}` : ", it is empty";
  throw new UserError(`--data ${path}: Cannot recognise the data${holds}: expected ${KNOWN}`);
}

async function inFile(path: string, flags: DataFlags, asking: Asking, around: Around): Promise<FoundData | null> {
  const texts = await inTexts(path, [], flags, asking, around);
  if (texts) return texts;
  // One file of several stands for its data set.
  const folder = dirname(path);
  const there = { folder, files: (await listFolder(folder)).files, chosen: basename(path) };
  return idxAmong(there, around, asking) ?? cifarAmong(there, around.base);
}

/**
 * Texts in a file: a table, or sentences with tags.
 *
 * @param beside files that may have the test examples unless a flag names one, the likeliest first
 * @returns `null` if it is neither
 */
async function inTexts(
  train: string,
  beside: readonly string[],
  flags: DataFlags,
  asking: Asking,
  { base, isTaught }: Around,
): Promise<FoundData | null> {
  const areTagged = await isTagged(train);
  if (!areTagged && !isTable(train)) return null;
  const isAlike = async (path: string) => areTagged === await isTagged(path) && (areTagged || isTable(path));
  const isTestNamed = flags.test !== undefined;
  if (isTestNamed && !await isAlike(flags.test)) {
    const expected = areTagged ? "sentences with a tag for each word" : "a table (CSV, TSV, JSONL)";
    throw new UserError(`--test ${flags.test}: Expected ${expected}, as "${train}" is`);
  }
  const tests: string[] = isTestNamed ? [flags.test] : [];
  if (!isTestNamed) { for (const path of beside) if (await isAlike(path)) tests.push(path); }
  if (!areTagged) return await recogniseTable({ train, tests, isTestNamed }, flags, asking, base, isTaught);
  if (tests.length === 0) {
    throw new UserError(
      `--data ${train}: Cannot do without test sentences: name their file with --test FILE, or a folder that has both`,
    );
  }
  expectWhole(tests[0], tests, "--test FILE");
  return taggedFiles(train, tests[0], base);
}

/** Files that hold no texts, by their names. */
const NO_TEXTS = /\.(?:md|ya?ml|gz|zip|safetensors|png|jpe?g|webp|gif|bmp)$|^(?:readme|licen[cs]e)/i;

async function inFolder(path: string, flags: DataFlags, asking: Asking, around: Around): Promise<FoundData | null> {
  const { base, isTaught } = around;
  const listing = await listFolder(path);
  const { files } = listing;
  const there = { folder: path, files, chosen: null };
  const images = idxAmong(there, around, asking) ?? cifarAmong(there, base);
  if (images) return images;
  const texts = files.filter((name) => !NO_TEXTS.test(name));
  const splits = splitsAmong(texts);
  const trains: string[] = [];
  for (const name of splits.train) if (isTable(name) || await isTagged(join(path, name))) trains.push(name);
  const train = trainAmong(trains, texts.filter(isTable), path, asking);
  if (train !== null) {
    const beside = splits.test.filter((name) => name !== train).map((name) => join(path, name));
    return await inTexts(join(path, train), beside, flags, asking, around);
  }
  return await classFoldersIn(path, listing, base) ?? (isTaught ? await loosePictures(path, listing, base) : null);
}

/**
 * The file with the training examples: the one that its name says, or the one table that there is.
 *
 * @param trains those whose names say it, the likeliest first
 * @throws UserError if it may be several, and nobody is there to be asked, or they are parts of one
 */
function trainAmong(
  trains: readonly string[],
  tables: readonly string[],
  folder: string,
  asking: Asking,
): string | null {
  const choices = trains.length > 0 ? trains : tables;
  if (choices.length === 0) return null;
  const [first, second] = choices;
  if (second === undefined) return first;
  if (trains.length > 0) {
    if (isBare(first) && !isBare(second)) return first;
    expectWhole(first, trains, "--data FILE");
  }
  return asking.choose({
    question: `Which table of ${folder} has the training examples?`,
    cannot: `--data ${folder}: Cannot tell which table has the training examples`,
    flag: "--data FILE",
    choices,
  });
}
