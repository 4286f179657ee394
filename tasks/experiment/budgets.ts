import { MOST, NUMBER, secondsIn } from "../support/time.ts";

/** How long each row of an experiment may train: a multiple of its recipe's epochs, or a time. */
export interface Budget {
  /** For people, as it was written: `4x`, `60s`. */
  readonly name: string;
  /** Whether it is of epochs or of seconds. */
  readonly of: "epochs" | "seconds";
  /** Epochs as a multiple of the recipe's, or seconds of training. */
  readonly amount: number;
}

const MULTIPLE = new RegExp(`^(${NUMBER})x$`);

/**
 * The budget that a text is.
 *
 * @throws SyntaxError if it is none
 *
 * @example
 * ```ts
 * parseBudget("4x"); // { name: "4x", of: "epochs", amount: 4 }
 * parseBudget("2m"); // { name: "2m", of: "seconds", amount: 120 }
 * ```
 */
export function parseBudget(text: string): Budget {
  const name = text.trim();
  const times = Number(MULTIPLE.exec(name)?.[1]);
  if (times > 0 && times <= MOST) return { name, of: "epochs", amount: times };
  const seconds = secondsIn(name);
  if (seconds !== null) return { name, of: "seconds", amount: seconds };
  throw new SyntaxError(
    `Expected a multiple of the recipe's epochs as 4x, or a time as 90s, 30m or 1h30m, above 0 and up to ${MOST}: got ` +
      JSON.stringify(text),
  );
}

/**
 * Budgets from the shortest to the longest.
 *
 * @throws SyntaxError for one that is none, two that are the same, or some of epochs beside some of seconds
 */
export function budgetsOf(texts: readonly string[]): Budget[] {
  const budgets = texts.map(parseBudget);
  const other = budgets.find(({ of }) => of !== budgets[0].of);
  if (other) {
    throw new SyntaxError(
      `Expected budgets of epochs or of seconds: got ${
        budgets[0].name
      } and ${other.name}, of which nobody knows which is ` +
        "the longer",
    );
  }
  const sorted = budgets.toSorted((a, b) => a.amount - b.amount);
  const twin = sorted.findIndex(({ amount }, index) => index > 0 && amount === sorted[index - 1].amount);
  if (twin >= 0) {
    throw new SyntaxError(`Expected budgets that differ: got ${sorted[twin - 1].name} and ${sorted[twin].name}`);
  }
  return sorted;
}
