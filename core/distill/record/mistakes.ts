import type { Examples, InputDescription } from "../../plugin/dataset.ts";
import { groupBy } from "../../group_by.ts";
import type { Entry } from "./entries.ts";
import { type ShownExample, shownExample } from "./shown_example.ts";

/** Answers that are wrong in the same way. */
export interface Mistake {
  /** The class, or the number, that is right; `null`: `decided` was said of what is of other classes. */
  readonly truth: number | null;
  /** What was decided; `null`: the class `truth` was missed. */
  readonly decided: number | null;
  /** How many answers. */
  readonly count: number;
  /** Those that the model was surest of. */
  readonly examples: readonly (ShownExample & { readonly certainty: number | null })[];
}

/** Kinds of mistakes that are kept, and examples of each. */
const MOST_KINDS = 12, MOST_EXAMPLES = 4;

/** A wrong answer, before its example is looked at. */
export interface WrongAnswer extends Pick<Mistake, "truth" | "decided"> {
  readonly example: number;
  /** The token; `null` where the answer is about the whole example. */
  readonly token: number | null;
  readonly certainty: number | null;
  /** By how much it is wrong: those that are most so are shown. */
  readonly size: number;
}

/** The wrong answers of a classification, tags or a regression. */
export function wrongAnswers(entries: readonly Entry[], { task }: InputDescription): WrongAnswer[] {
  return entries.flatMap(({ example, place, label, decided, certainty }) => {
    if (label === null || label === decided) return [];
    const size = task === "regression" ? Math.abs(label - decided) : certainty ?? 0;
    return [{ example, token: task === "tagging" ? place : null, truth: label, decided, certainty, size }];
  });
}

/**
 * The commonest mistakes, with examples of each; of a regression the largest.
 *
 * @param wrong in the order of the examples
 */
export async function mistakesOf(
  wrong: readonly WrongAnswer[],
  input: InputDescription,
  examples: Examples,
): Promise<Mistake[]> {
  const kinds = groupBy(wrong, ({ truth, decided }) => `${truth} ${decided}`);
  const isNumber = input.task === "regression";
  const worth = (answers: readonly WrongAnswer[]) => isNumber ? answers[0].size : answers.length;
  const worst = [...kinds.values()].sort((a, b) => worth(b) - worth(a)).slice(0, MOST_KINDS);
  const mistakes: Mistake[] = [];
  for (const answers of worst) {
    const [{ truth, decided }] = answers;
    const ascending = [...answers].sort((a, b) => a.size - b.size);
    // Each example once, however many of its tokens are wrong so.
    const different = [...new Map(ascending.map((answer) => [answer.example, answer])).values()];
    const surest = different.sort((a, b) => b.size - a.size).slice(0, MOST_EXAMPLES);
    const looked = [];
    for (const { example, token, certainty } of surest) {
      looked.push({ ...await shownExample(input, examples, example, token), certainty });
    }
    mistakes.push({ truth, decided, count: answers.length, examples: looked });
  }
  return mistakes;
}
