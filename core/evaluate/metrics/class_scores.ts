import { visible } from "../../visible.ts";

/** How well something is told from all else: a class, a type of spans, or all of them together. */
export interface ClassScores {
  /** Part of what is taken for it that is of it; 0 if nothing is taken for it. */
  readonly precision: number;
  /** Part of what is of it that is taken for it; 0 if nothing is of it. */
  readonly recall: number;
  /** Their harmonic mean, 2 TP / (2 TP + FP + FN). */
  readonly f1: number;
}

/** What the {@link ClassScores} of a class are made of. */
export interface ClassCounts {
  /** What is of it: scikit-learn's support. */
  readonly examples: number;
  /** What is taken for it. */
  readonly predicted: number;
  /** What is both. */
  readonly correct: number;
}

/** A class with its counts and its scores. */
export interface LabelScores extends ClassCounts {
  /** The class's name. */
  readonly label: string;
  /** `null` for a class that neither occurs nor is predicted. */
  readonly precision: number | null;
  /** `null` as well. */
  readonly recall: number | null;
  /** `null` as well. */
  readonly f1: number | null;
}

/** The three scores and the three ways to take them over classes, which {@link averagesOf} has under these names. */
export const AVERAGES = [
  "f1Macro",
  "f1Micro",
  "f1Weighted",
  "precisionMacro",
  "precisionMicro",
  "precisionWeighted",
  "recallMacro",
  "recallMicro",
  "recallWeighted",
] as const;

/** Scores over all classes, by name. */
export type Averages = Record<typeof AVERAGES[number], number>;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** A class's scores; what would be 0 / 0 is 0, as by scikit-learn's `zero_division=0`. */
export function scoresOf({ examples, predicted, correct }: ClassCounts): ClassScores {
  const part = (total: number) => total === 0 ? 0 : correct / total;
  return { precision: part(predicted), recall: part(examples), f1: part((examples + predicted) / 2) };
}

/** A class's name, counts and scores. */
export function labelScores(label: string, counts: ClassCounts): LabelScores {
  const scores = isNowhere(counts) ? { precision: null, recall: null, f1: null } : scoresOf(counts);
  return { label, ...counts, ...scores };
}

/** Whether a class neither occurs nor is predicted. */
export function isNowhere({ examples, predicted }: ClassCounts): boolean {
  return examples + predicted === 0;
}

/**
 * Scores over classes: `Macro` is the mean over those that occur or are predicted, `Weighted` the mean weighted by how
 * often they occur, `Micro` counts all decisions together. As scikit-learn's and seqeval's `average`, of classes
 * numbered or named; 0 where there is nothing to take the mean of.
 */
export function averagesOf(counts: readonly ClassCounts[]): Averages {
  const own = counts.filter((one) => !isNowhere(one));
  const scores = own.map(scoresOf);
  const weights = own.map(({ examples }) => examples);
  const all = scoresOf({
    examples: sum(weights),
    predicted: sum(own.map(({ predicted }) => predicted)),
    correct: sum(own.map(({ correct }) => correct)),
  });
  const mean = (name: keyof ClassScores) => own.length === 0 ? 0 : sum(scores.map((one) => one[name])) / own.length;
  const weighted = (name: keyof ClassScores) => {
    const total = sum(weights);
    return total === 0 ? 0 : sum(scores.map((one, index) => one[name] * weights[index])) / total;
  };
  return {
    f1Macro: mean("f1"),
    f1Micro: all.f1,
    f1Weighted: weighted("f1"),
    precisionMacro: mean("precision"),
    precisionMicro: all.precision,
    precisionWeighted: weighted("precision"),
    recallMacro: mean("recall"),
    recallMicro: all.recall,
    recallWeighted: weighted("recall"),
  };
}

/** What is to be said of scores that stand for 0 / 0: a sentence for each of three kinds of classes that have them. */
export function emptyScoreNotes(classes: readonly (ClassCounts & { readonly label: string })[]): string[] {
  const note = (is: (counts: ClassCounts) => boolean, one: string, several: string) => {
    const names = classes.filter(is).map(({ label }) => visible(label));
    const more = names.length > 12 ? ` and ${names.length - 12} others` : "";
    return names.length === 0 ? [] : [`${names.slice(0, 12).join(", ")}${more}: ${names.length === 1 ? one : several}`];
  };
  return [
    ...note(
      ({ examples, predicted }) => predicted === 0 && examples > 0,
      "nothing is taken for it, so its precision, 0 / 0, counts as 0",
      "nothing is taken for them, so their precision, 0 / 0, counts as 0",
    ),
    ...note(
      ({ examples, predicted }) => examples === 0 && predicted > 0,
      "nothing is of it, so its recall, 0 / 0, counts as 0",
      "nothing is of them, so their recall, 0 / 0, counts as 0",
    ),
    ...note(
      isNowhere,
      "nothing is of it or taken for it, so it has no scores and is left out of the means",
      "nothing is of them or taken for them, so they have no scores and are left out of the means",
    ),
  ];
}

/**
 * The same of what was measured: of types of spans where tags mark some, else of classes.
 *
 * @param classes `null` for a regression, or where nothing was measured
 */
export function measuredNotes(
  classes: readonly LabelScores[] | null,
  spans: readonly { readonly type: string; readonly spans: number; readonly predicted: number }[] | null,
): string[] {
  const types = spans?.map(({ type, spans, predicted }) => ({ label: type, examples: spans, predicted, correct: 0 }));
  return emptyScoreNotes(types ?? classes ?? []);
}
