import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { type Entry, line } from "./entries.ts";
import { type FoundData, nameFrom } from "./found.ts";

/** The names that the data set `idx` takes for granted, by split. */
const USUAL = { train: "train", test: "t10k" } as const;

/**
 * IDX files in a folder, by their names; `null` if there are none.
 *
 * @param isTaught whether there is a teacher, which can do without labels
 * @throws UserError if a part of them is missing
 */
export function idxAmong(
  files: readonly string[],
  folder: string,
  { base, isTaught }: { readonly base: string; readonly isTaught: boolean },
): FoundData | null {
  const images = files.filter((name) => /idx3|[_.-]images/i.test(name) && /idx|ubyte|images(?:\.gz)?$/i.test(name));
  const labels = files.filter((name) => /idx1|[_.-]labels/i.test(name) && /idx|ubyte|labels(?:\.gz)?$/i.test(name));
  if (images.length === 0 && labels.length === 0) return null;
  const find = (names: readonly string[], split: RegExp, what: string) => {
    const found = names.find((name) => split.test(name));
    if (found !== undefined) return found;
    throw new UserError(
      `Cannot find the ${what} among the IDX files in "${folder}": there are ${[...images, ...labels].join(", ")}`,
    );
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

/** Files of CIFAR's binary version in a folder; `null` if there are none. */
export function cifarAmong(files: readonly string[], folder: string, base: string): FoundData | null {
  const paths = (pattern: RegExp) =>
    files.filter((name) => pattern.test(name)).map((name) => nameFrom(base, join(folder, name)));
  const [batches, testBatch] = [paths(/^data_batch_\d+\.bin$/), paths(/^test_batch\.bin$/)];
  if (batches.length > 0 && testBatch.length > 0) {
    return {
      what: "CIFAR-10",
      use: "cifar",
      options: [line("train", batches), line("test", testBatch)],
      mayMirror: true,
    };
  }
  const [train, test] = [paths(/^train\.bin$/), paths(/^test\.bin$/)];
  if (train.length === 0 || test.length === 0) return null;
  return {
    what: "CIFAR-100",
    use: "cifar",
    options: [
      line("variant", "cifar-100", "cifar-100-coarse: its 20 coarse labels"),
      line("train", train),
      line("test", test),
    ],
    mayMirror: true,
  };
}
