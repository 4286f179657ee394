import type { Dataset } from "../../core/plugin/dataset.ts";
import { UserError } from "../../core/errors.ts";
import { listSome } from "../../core/recipe/words.ts";
import { visiblePath } from "../../core/visible.ts";

/** Examples by the name of their split, `train` among them. */
type Splits<Example> = Readonly<Record<string, readonly Example[]>> & { readonly train: readonly Example[] };

/** Names in quotes, the first few of many. */
export const quoted = (names: readonly string[]) => listSome(names.map((name) => `"${visiblePath(name)}"`), "and");

/**
 * Classes that a split has no example of, while it is measured on: a sentence for each such split.
 *
 * @param classesOf the numbers of an example's classes; `null` of one without a label
 * @param what an example is: `picture`
 */
export function lackingClasses<Example>(
  { train: _train, ...others }: Splits<Example>,
  classes: readonly string[],
  classesOf: (example: Example) => readonly number[] | null,
  what: string,
): string[] {
  return Object.entries(others).flatMap(([split, examples]) => {
    const labelled = examples.map(classesOf).filter((own) => own !== null);
    const there = new Set(labelled.flat());
    const missing = classes.filter((_, label) => !there.has(label));
    // One without any label is not measured by classes.
    return missing.length === 0 || labelled.length === 0
      ? []
      : [`the split "${split}" has no ${what} of ${quoted(missing)}: what is measured on it says nothing of that`];
  });
}

/**
 * Refuses classes that no training example is of.
 *
 * @param labels of the training examples
 * @param name what they come from
 * @param what an example is: `picture`
 * @throws UserError
 */
export function expectTrained(
  labels: Iterable<number>,
  classes: readonly string[],
  name: string,
  what: string,
): void {
  const there = new Set(labels);
  const missing = classes.filter((_, label) => !there.has(label));
  if (missing.length === 0) return;
  throw new UserError(
    `Cannot learn ${missing.length === 1 ? "the class" : "the classes"} ${quoted(missing)} from "${
      visiblePath(name)
    }": no training ${what} shows it`,
  );
}

/** What tells examples that stand in two splits. */
export interface RepeatedExamples<Example> {
  /** By split a number for each of its examples that equal ones share; see {@link equalNumbers}. */
  readonly equal: Readonly<Record<string, Uint32Array>>;
  /** Where one stands, for people. */
  readonly placeOf: (example: Example) => string;
  /** What examples are, and how they are the same: `pictures`, `byte for byte`. */
  readonly what: string;
  readonly how: string;
}

/** Examples that stand in the training part and in another one: a sentence for each such split. */
export function repeatedExamples<Example>(
  { train, ...others }: Splits<Example>,
  { equal, placeOf, what, how }: RepeatedExamples<Example>,
): string[] {
  const trained = new Map(train.map((example, index) => [equal.train[index], example]));
  return Object.entries(others).flatMap(([split, examples]) => {
    const twice = examples.flatMap((example, index) => {
      const other = trained.get(equal[split][index]);
      return other === undefined ? [] : [[example, other] as const];
    });
    if (twice.length === 0) return [];
    const [one, other] = twice[0];
    return [
      `${twice.length} of the ${examples.length} ${what} of the split "${split}" are training ${what}, too, ${how} ` +
      `(${placeOf(one)} is ${placeOf(other)}): what is measured on them says nothing of new ${what}`,
    ];
  });
}

/** A data set that warns of something more, too. */
export function withWarnings(dataset: Dataset, more: readonly string[]): Dataset {
  return more.length === 0 ? dataset : { ...dataset, warnings: [...dataset.warnings ?? [], ...more] };
}

/** A number for each example, the same for equal ones in all splits, by the name of their split. */
export function equalNumbers<Example>(
  splits: Readonly<Record<string, readonly Example[]>>,
  keyOf: (example: Example) => string,
): Record<string, Uint32Array> {
  const numbers = new Map<string, number>();
  const numberOf = (example: Example) => {
    const key = keyOf(example);
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  };
  return Object.fromEntries(Object.entries(splits).map(([name, own]) => [name, Uint32Array.from(own, numberOf)]));
}
