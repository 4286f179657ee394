import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import type { Asking } from "./asking.ts";
import { type Entry, line } from "./entries.ts";
import { type FoundData, nameFrom } from "./found.ts";

/** The names that the data set `idx` takes for granted, by split. */
const USUAL = { train: "train", test: "t10k" } as const;

/** What names of IDX files say beside the data set's own. */
const PARTS = /train(?:ing)?|t10k|test(?:ing)?|valid(?:ation)?|images?|labels?|idx\d?|ubyte|\.gz$|[._-]+/gi;

/** Which of the data sets in a folder an IDX file is of: `emnist-letters-train-images-idx3-ubyte.gz`. */
const setOf = (name: string) => name.toLowerCase().replaceAll(PARTS, " ").trim();

/** Where files of images are, and which is meant. */
interface ImageFiles {
  readonly folder: string;
  /** Their names, in order. */
  readonly files: readonly string[];
  /** The one that the user named; `null` for the folder. */
  readonly chosen: string | null;
}

/**
 * IDX files in a folder, by their names; `null` if there are none, or another file is meant.
 *
 * @param isTaught whether there is a teacher, which can do without labels
 * @throws UserError if a part of them is missing, or they are several data sets and nobody is there to be asked
 */
export function idxAmong(
  { folder, files, chosen }: ImageFiles,
  { base, isTaught }: { readonly base: string; readonly isTaught: boolean },
  asking: Asking,
): FoundData | null {
  const all = {
    images: files.filter((name) => /idx3|[_.-]images/i.test(name) && /idx|ubyte|images(?:\.gz)?$/i.test(name)),
    labels: files.filter((name) => /idx1|[_.-]labels/i.test(name) && /idx|ubyte|labels(?:\.gz)?$/i.test(name)),
  };
  const there = [...all.images, ...all.labels];
  if (chosen === null ? there.length === 0 : !there.includes(chosen)) return null;
  const meant = chosen ?? oneSet(all.images, folder, asking);
  const ofSet = (names: readonly string[]) =>
    meant === null ? names : names.filter((name) => setOf(name) === setOf(meant));
  const [images, labels] = [ofSet(all.images), ofSet(all.labels)];
  const find = (names: readonly string[], split: RegExp, what: string) => {
    const found = [...names.filter((name) => name === chosen), ...names].find((name) => split.test(name));
    if (found !== undefined) return found;
    throw new UserError(`Cannot find the ${what} among the IDX files in "${folder}": there are ${there.join(", ")}`);
  };
  const options: Entry[] = [line("folder", nameFrom(base, folder))];
  const isUnlabelled = labels.length === 0 && isTaught;
  for (const [split, pattern] of [["train", /train/i], ["test", /t10k|test|valid/i]] as const) {
    const own = {
      images: find(images, pattern, `${split} images`),
      labels: isUnlabelled ? null : find(labels, pattern, `${split} labels`),
    };
    const usual = USUAL[split];
    const isUsual = own.images === `${usual}-images-idx3-ubyte.gz` && own.labels === `${usual}-labels-idx1-ubyte.gz`;
    if (!isUsual) options.push(line(split, own));
  }
  return {
    what: isUnlabelled ? "IDX files of images without labels" : "IDX files of images",
    use: "idx",
    isUnlabelled,
    options,
  };
}

/** A file of the one data set whose training images are there; `null` if none are. */
function oneSet(images: readonly string[], folder: string, asking: Asking): string | null {
  const choices = [...Map.groupBy(images.filter((name) => /train/i.test(name)), setOf).values()].map(([first]) =>
    first
  );
  if (choices.length < 2) return choices[0] ?? null;
  return asking.choose({
    question: `There are several data sets in ${folder}. Which training images are meant?`,
    cannot: `--data ${folder}: Cannot tell which of several data sets is meant, by its training images`,
    flag: "--data FILE",
    choices,
  });
}

/** Files of CIFAR's binary version in a folder; `null` if there are none, or another file is meant. */
export function cifarAmong({ folder, files, chosen }: ImageFiles, base: string): FoundData | null {
  const named = (pattern: RegExp) => files.filter((name) => pattern.test(name));
  const isMeant = (names: readonly string[]) => chosen === null || names.includes(chosen);
  const paths = (names: readonly string[]) => names.map((name) => nameFrom(base, join(folder, name)));
  const [batches, testBatch] = [named(/^data_batch_\d+\.bin$/), named(/^test_batch\.bin$/)];
  if (batches.length > 0 && testBatch.length > 0 && isMeant([...batches, ...testBatch])) {
    return {
      what: "CIFAR-10",
      use: "cifar",
      options: [line("train", paths(batches)), line("test", paths(testBatch))],
      mayMirror: true,
    };
  }
  const [train, test] = [named(/^train\.bin$/), named(/^test\.bin$/)];
  if (train.length === 0 || test.length === 0 || !isMeant([...train, ...test])) return null;
  return {
    what: "CIFAR-100",
    use: "cifar",
    options: [
      line("variant", "cifar-100", "cifar-100-coarse: its 20 coarse labels"),
      line("train", paths(train)),
      line("test", paths(test)),
    ],
    mayMirror: true,
  };
}
