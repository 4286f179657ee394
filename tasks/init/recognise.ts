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
import { isTable, recogniseTable, splitsAmong } from "./tables.ts";
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

async function inFile(
  path: string,
  flags: DataFlags,
  asking: Asking,
  { base, isTaught }: Around,
): Promise<FoundData | null> {
  if (await isTagged(path)) {
    if (flags.test !== undefined) return taggedFiles(path, flags.test, base);
    throw new UserError(
      `--data ${path}: Cannot do without test sentences: name their file with --test FILE, or a folder that has both`,
    );
  }
  if (isTable(path)) {
    return await recogniseTable({ train: path, test: flags.test ?? null }, flags, asking, base, isTaught);
  }
  // One file of several stands for its folder.
  const { files } = await listFolder(dirname(path));
  if (!/idx|ubyte|\.bin$/i.test(basename(path))) return null;
  return idxAmong(files, dirname(path), { base, isTaught }) ?? cifarAmong(files, dirname(path), base);
}

async function inFolder(
  path: string,
  flags: DataFlags,
  asking: Asking,
  { base, isTaught }: Around,
): Promise<FoundData | null> {
  const listing = await listFolder(path);
  const { files } = listing;
  const images = idxAmong(files, path, { base, isTaught }) ?? cifarAmong(files, path, base);
  if (images) return images;
  const texts = files.filter((name) =>
    !/\.(?:md|ya?ml|gz|zip|safetensors)$/i.test(name) && !/^(?:readme|licen[cs]e)/i.test(name)
  );
  const { train, test } = splitsAmong(texts);
  const only = texts.filter(isTable);
  const first = train ?? (only.length === 1 ? only[0] : null);
  if (first !== null) {
    const [own, other] = [join(path, first), flags.test ?? (test && join(path, test))];
    if (await isTagged(own)) {
      return await inFile(own, other === null ? flags : { ...flags, test: other }, asking, { base, isTaught });
    }
    if (isTable(first)) {
      return await recogniseTable(
        { train: own, test: other !== null && isTable(other) ? other : null },
        flags,
        asking,
        base,
        isTaught,
      );
    }
  } else if (only.length > 1) {
    const chosen = asking.choose({
      question: `Which table of ${path} has the training examples?`,
      cannot: `--data ${path}: Cannot tell which table has the training examples`,
      flag: "--data FILE",
      choices: only,
    });
    return await inFile(join(path, chosen), flags, asking, { base, isTaught });
  }
  return await classFoldersIn(path, listing, base) ?? (isTaught ? await loosePictures(path, listing, base) : null);
}
