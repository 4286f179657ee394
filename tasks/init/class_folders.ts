import { basename, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { importFailure } from "../../core/plugin/import_failure.ts";
import { line, type Plain } from "./entries.ts";
import { type FoundData, nameFrom } from "./found.ts";
import { listFolder, type Listing, startOf } from "./listing.ts";

const PICTURE = /\.(?:png|jpe?g|webp|gif|bmp)$/i;

/** Folders that are splits rather than classes. */
const TRAIN = /^train(?:ing)?$/i;
const UNLABELLED = /^unlabell?ed$/i;
const TEST = /^(?:test(?:ing)?|val(?:id(?:ation)?)?|dev)$/i;

/**
 * A folder that holds a folder for each class: of pictures, or of e-mails.
 *
 * @param base the recipe's folder
 * @returns `null` if it holds neither
 */
export async function classFoldersIn(folder: string, listing: Listing, base: string): Promise<FoundData | null> {
  const further = listing.folders.find((name) => UNLABELLED.test(name));
  const folders = listing.folders.filter((name) => name !== further);
  if (folders.length === 0) return null;
  const train = folders.find((name) => TRAIN.test(name));
  const test = folders.find((name) => /^test/i.test(name)) ?? folders.find((name) => TEST.test(name));
  const split = train !== undefined && test !== undefined;
  const within = split ? join(folder, train) : folder;
  const classes = split ? (await listFolder(within)).folders : folders;
  const kinds = await Promise.all(classes.map(async (name) => await kindOfFiles(join(within, name))));
  if (kinds.some((kind) => kind === "pictures")) {
    return {
      what: "folders of pictures by class",
      use: "image-folder",
      options: [
        line("folder", nameFrom(base, folder)),
        ...(split
          ? [
            ...(train === "train" ? [] : [line("trainFolder", train)]),
            ...(test === "test" ? [] : [line("testFolder", test, "there is no folder test")]),
          ]
          : [
            line("testPart", 0.2, "a fifth of each class's pictures is the test set, as there are no train/ and test/"),
          ]),
        ...(further === undefined
          ? []
          : [line("unlabelled", further, "pictures without labels, which the teacher's losses learn from")]),
      ],
    };
  }
  if (split || kinds.length === 0 || !kinds.every((kind) => kind === "mails")) return null;
  return mailsOf([line("folder", nameFrom(base, folder))], folders);
}

/**
 * Pictures without labels: a folder of nothing but pictures, or its `train/` and `test/` of such.
 *
 * @param base the recipe's folder
 * @returns `null` if it is none
 */
export async function loosePictures(
  folder: string,
  { files, folders }: Listing,
  base: string,
): Promise<FoundData | null> {
  const holds = async (name: string) => (await listFolder(join(folder, name))).files.some((file) => PICTURE.test(file));
  const [train, test] = [folders.find((name) => TRAIN.test(name)), folders.find((name) => TEST.test(name))];
  const split = train !== undefined && test !== undefined && await holds(train) && await holds(test);
  if (!split && !files.some((name) => PICTURE.test(name))) return null;
  return {
    what: "pictures without labels",
    use: "image-folder",
    isUnlabelled: true,
    options: [
      line("folder", nameFrom(base, folder)),
      line("labels", false, "no picture has one: the teacher alone teaches, and validation is agreement with it"),
      ...(split
        ? [
          ...(train === "train" ? [] : [line("trainFolder", train)]),
          ...(test === "test" ? [] : [line("testFolder", test)]),
        ]
        : [line("testPart", 0.2, "a fifth of the pictures is the test set")]),
    ],
  };
}

/** E-mails of an npm package. @throws UserError if they cannot be loaded */
export async function mailsOfPackage(name: string): Promise<FoundData> {
  let messages: unknown;
  try {
    messages = (await import(name)).default();
  } catch (error) {
    throw new UserError(`--data ${name}: Cannot load the messages: ${importFailure(error, name)}`, { cause: error });
  }
  if (!Array.isArray(messages) || !messages.every((message) => typeof message?.group === "string")) {
    throw new UserError(`--data ${name}: Expected a package whose default export gives messages as { group, text }`);
  }
  return mailsOf([line("package", name)], [...new Set<string>(messages.map(({ group }) => group))].sort());
}

function mailsOf(options: FoundData["options"], groups: readonly string[]): FoundData {
  // easy-ham-1 and easy-ham-2 are parts of one folder.
  const byClass: Record<string, Plain> = {};
  for (const [name, own] of Map.groupBy(groups, (group) => group.replace(/[ _-]?\d+$/, "") || group)) {
    byClass[name] = own;
  }
  return {
    what: "e-mails in folders by class",
    use: "mail",
    options: [
      ...options,
      line("classes", byClass, "a class and its folders; several folders may be one class"),
      line("onBad", "skip", "messages without text, such as a picture alone, are left out; a line counts them"),
    ],
  };
}

/** How many files of a folder are looked at. */
const SAMPLE = 5;

async function kindOfFiles(folder: string): Promise<"pictures" | "mails" | null> {
  const { files } = await listFolder(folder);
  if (files.some((name) => PICTURE.test(name))) return "pictures";
  const sample = files.slice(0, SAMPLE);
  const starts = await Promise.all(sample.map((name) => startOf(join(folder, name), 4096)));
  const areMails = starts.length > 0 && starts.every(beginsAsMail);
  return areMails ? "mails" : null;
}

/** Whether a file begins with header fields, as RFC 5322 has them. */
function beginsAsMail(bytes: Uint8Array): boolean {
  const [first, second = ""] = new TextDecoder("latin1").decode(bytes).split(/\r?\n/);
  const isField = (text: string) => /^[!-9;-~]+:/.test(text);
  return isField(first) && (isField(second) || /^\s/.test(second)) || /^From \S/.test(first) && isField(second);
}

/** The name of a folder or a file without its ending, as a recipe may be called. */
export function nameOf(path: string): string {
  const bare = path.startsWith("npm:") ? path.slice(4).replace(/@[^@/]*$/, "") : path;
  const name = basename(bare).replace(/\.[a-z]{1,6}$/i, "").replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return name || "mine";
}
