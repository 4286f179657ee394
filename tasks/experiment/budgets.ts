/** How long each row of an experiment may train: a multiple of its recipe's epochs, or a time. */
export interface Budget {
  /** For people, as it was written: `4x`, `60s`. */
  readonly name: string;
  /** Whether it is of epochs or of seconds. */
  readonly of: "epochs" | "seconds";
  /** Epochs as a multiple of the recipe's, or seconds of training. */
  readonly amount: number;
}

/** What each unit is, in multiples of a recipe's epochs or in seconds. */
const UNITS: Readonly<Record<string, readonly [of: Budget["of"], factor: number]>> = {
  x: ["epochs", 1],
  s: ["seconds", 1],
  m: ["seconds", 60],
  h: ["seconds", 3600],
};

/** Beyond it no training is a budget of any row: a slip of the pen. */
const MOST = 1e6;

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
  const [, digits, unit] = /^(\d+(?:\.\d+)?|\.\d+)([xsmh])$/.exec(text.trim()) ?? [];
  const amount = digits === undefined ? NaN : Number(digits) * UNITS[unit][1];
  if (amount > 0 && amount <= MOST) return { name: text.trim(), of: UNITS[unit][0], amount };
  throw new SyntaxError(
    `Expected a multiple of the recipe's epochs as 4x, or a time as 60s, 5m or 2h, above 0 and up to ${MOST}: got ` +
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
