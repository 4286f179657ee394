import { basename } from "node:path";
import { UserError } from "../../core/errors.ts";
import { listSome } from "../../core/recipe/words.ts";

const TRAIN = ["train", "training"];
const TEST = ["test", "testing", "dev", "val", "valid", "validation"];

/** Files by the split that their names say, the likeliest first. */
export interface Splits {
  readonly train: readonly string[];
  readonly test: readonly string[];
}

/** Files by their split: `train.tsv`, `dev.tsv`. One whose name says both, `train_test.csv`, is of neither. */
export function splitsAmong(files: readonly string[]): Splits {
  const of = (names: readonly string[]) => {
    const found = names.flatMap((name) => {
      const own = files.filter((file) => new RegExp(`^(?:.*[._-])?${name}[._-]`, "i").test(file));
      return [...own.filter(isBare), ...own];
    });
    return [...new Set(found)];
  };
  const [train, test] = [of(TRAIN), of(TEST)];
  return { train: train.filter((file) => !test.includes(file)), test: test.filter((file) => !train.includes(file)) };
}

/** Whether a file's name says a split and nothing else. */
export function isBare(file: string): boolean {
  return [...TRAIN, ...TEST].includes(file.replace(/\.[^.]*$/, "").toLowerCase());
}

/**
 * A split in several files, of which a recipe reads one, would be used in part: `train-00000-of-00002.jsonl`.
 *
 * @param files those of its split, among others
 * @param flag names one of them all the same
 * @throws UserError if others of these differ from it in numbers alone
 */
export function expectWhole(file: string, files: readonly string[], flag: string): void {
  const withoutNumbers = (path: string) => path.replaceAll(/\d+/g, "#");
  const parts = files.filter((other) => withoutNumbers(other) === withoutNumbers(file));
  if (parts.length < 2) return;
  throw new UserError(
    `Cannot use ${
      listSome(parts.map((path) => basename(path)), "and")
    } together, as a recipe takes one file for each ` +
      `split: join them to one, or use one alone with ${flag}`,
  );
}
