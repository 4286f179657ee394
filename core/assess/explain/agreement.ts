import { spearman } from "../../evaluate/metrics/correlation.ts";

/** How alike two models explain the same examples. */
export interface ExplanationAgreement {
  /** Spearman's rank correlation of each example's numbers; `null` where one of the two says the same of all parts. */
  readonly each: readonly (number | null)[];
  /** Over those that have one; `null`: none has. */
  readonly mean: number | null;
  /** Their standard deviation, by n - 1; `null` of fewer than two. */
  readonly deviation: number | null;
}

/** Compares explanations of the same examples, part by part; `null` where two do not have the same parts. */
export function agreementOf(
  own: readonly ArrayLike<number>[],
  others: readonly ArrayLike<number>[],
): ExplanationAgreement | null {
  if (own.length !== others.length || own.some((values, index) => values.length !== others[index].length)) return null;
  const each = own.map((values, index) =>
    isConstant(values) || isConstant(others[index]) ? null : spearman(values, others[index])
  );
  const known = each.filter((value) => value !== null);
  const mean = known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  const squares = known.reduce((sum, value) => sum + (value - mean!) ** 2, 0);
  return { each, mean, deviation: known.length < 2 ? null : Math.sqrt(squares / (known.length - 1)) };
}

const isConstant = (values: ArrayLike<number>) => Array.from(values).every((value) => value === values[0]);
