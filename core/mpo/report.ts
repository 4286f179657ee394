import { norm } from "../linalg/vector.ts";
import { centralIndex, coreShape, increaseRate } from "./chain.ts";
import type { Decomposition } from "./decompose.ts";
import type { Gauge } from "./gauge.ts";
import { leftToRightMultiplyAdds, mergeOnHost, planMerge } from "./merge_chain.ts";
import { chainParameterCount } from "./shapes.ts";

/** A decomposed matrix described as a JSON value: shapes, bonds, errors and costs. */
export interface DecompositionReport {
  readonly matrix: { readonly rows: number; readonly cols: number; readonly parameters: number; readonly norm: number };
  readonly gauge: Gauge;
  /** In what the SVDs were computed: the numbers, and where. */
  readonly arithmetic: string;
  readonly rows: readonly number[];
  readonly cols: readonly number[];
  readonly bonds: readonly number[];
  readonly cores: readonly {
    readonly shape: readonly number[];
    readonly parameters: number;
    readonly role: "central" | "auxiliary";
  }[];
  readonly parameters: number;
  /** Parameters of the chain over those of the matrix. */
  readonly increaseRate: number;
  /** At bonds 1 .. n-1. */
  readonly singularValues: readonly (readonly number[])[];
  /** The Frobenius norm of what was cut at bonds 1 .. n-1, and the bound of Theorem 1 that follows. */
  readonly discarded: readonly number[];
  readonly errorBound: number;
  /** `||W - MPO(W)||_F / ||W||_F`, measured; 0 for a zero matrix that came out as zero. */
  readonly relativeError: number;
  readonly merge: {
    readonly multiplyAdds: number;
    readonly leftToRightMultiplyAdds: number;
    readonly largestIntermediate: number;
    /** The contraction plan as a table. */
    readonly plan: string;
  };
}

/**
 * Reports on a decomposition, and measures its error.
 *
 * @param matrix what was decomposed, row-major
 */
export function reportDecomposition(matrix: ArrayLike<number>, decomposition: Decomposition): DecompositionReport {
  const { chain, gauge, arithmetic, singularValues, discarded, errorBound } = decomposition;
  const { rows, cols, bonds } = chain;
  const difference = mergeOnHost(chain).map((value, place) => value - matrix[place]);
  const error = norm(difference);
  const plan = planMerge(chain);
  return {
    matrix: { rows: product(rows), cols: product(cols), parameters: matrix.length, norm: decomposition.norm },
    gauge,
    arithmetic,
    rows,
    cols,
    bonds,
    cores: chain.cores.map((core, index) => ({
      shape: coreShape(chain, index),
      parameters: core.length,
      role: index === centralIndex(rows.length) ? "central" : "auxiliary",
    })),
    parameters: chainParameterCount(rows, cols, bonds),
    increaseRate: increaseRate(chain),
    singularValues: singularValues.map((values) => Array.from(values)),
    discarded,
    errorBound,
    relativeError: error === 0 ? 0 : error / decomposition.norm,
    merge: {
      multiplyAdds: plan.multiplyAdds,
      leftToRightMultiplyAdds: leftToRightMultiplyAdds(chain),
      largestIntermediate: plan.largestIntermediate,
      plan: String(plan),
    },
  };
}

/** A report for people. */
export function showDecomposition(report: DecompositionReport): string {
  const { matrix, rows, cols, bonds, cores, singularValues, discarded, merge } = report;
  const size = `${matrix.rows} x ${matrix.cols}, ${count(matrix.parameters)} parameters`;
  const bound = `(bound ${(report.errorBound / matrix.norm).toExponential(2)}, from what was cut)`;
  return [
    `matrix          ${size}, norm ${brief(matrix.norm)}`,
    `factors         rows [${rows.join(", ")}], cols [${cols.join(", ")}]`,
    `bonds           [${bonds.join(", ")}], ${report.gauge}`,
    ...cores.map(({ shape, parameters, role }, index) =>
      `core ${`${index + 1}`.padEnd(11)}[${shape.join(", ")}], ${count(parameters)} parameters, ${role}`
    ),
    `parameters      ${count(report.parameters)}, ${brief(report.increaseRate)} times those of the matrix`,
    ...bondLines(singularValues, discarded),
    ...(bonds.length > 2 ? [`SVD             ${report.arithmetic}`] : []),
    `relative error  ${report.relativeError.toExponential(2)}${report.errorBound > 0 ? ` ${bound}` : ""}`,
    `merge           ${count(merge.multiplyAdds)} multiply-adds`,
    `  left to right ${count(merge.leftToRightMultiplyAdds)}`,
    "",
    merge.plan,
  ].join("\n");
}

/** A line for each bond; neighbours with the same singular values, as in `[a, 1, .., 1, b]`, share one. */
function bondLines(singularValues: DecompositionReport["singularValues"], discarded: readonly number[]): string[] {
  const lines: string[] = [];
  for (let first = 0, next = 0; first < singularValues.length; first = next) {
    const values = singularValues[first];
    const same = (bond: number) =>
      discarded[bond] === 0 && singularValues[bond].every((value, k) => value === values[k]);
    for (next = first + 1; next < singularValues.length && same(next); next++);
    const name = next - first === 1 ? `bond ${next}` : `bonds ${first + 1}-${next}`;
    const cut = discarded[first] > 0 ? `, cut: norm ${brief(discarded[first])}` : "";
    lines.push(`${name.padEnd(16)}${spectrum(values)}${cut}`);
  }
  return lines;
}

/** The singular values of a bond in a line: their range, and how many carry most of the matrix. */
function spectrum(values: readonly number[]): string {
  const total = values.reduce((sum, value) => sum + value ** 2, 0);
  let most = 0;
  for (let sum = 0; sum < 0.99 * total; most++) sum += values[most] ** 2;
  const range = `from ${brief(values[0])} to ${brief(values[values.length - 1])}`;
  return `${values.length} singular values ${range}, the first ${most} carry 99 % of the squared norm`;
}

function product(factors: readonly number[]): number {
  return factors.reduce((size, factor) => size * factor, 1);
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function brief(value: number): string {
  return String(Number(value.toPrecision(4)));
}
