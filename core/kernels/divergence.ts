import gradientShader from "../../shaders/divergence_gradient.wgsl" with { type: "text" };
import logSigmoidShader from "../../shaders/log_sigmoid.wgsl" with { type: "text" };
import shader from "../../shaders/divergence.wgsl" with { type: "text" };
import type { Floats } from "../backend/backend.ts";
import { expAndLog } from "./exp_log.ts";
import { fillHoles } from "./header.ts";
import { defineKernel } from "./kernel.ts";
import { spread } from "./launch.ts";
import { largestIn } from "./softmax.ts";
import { overRows, sumTree, withTrees } from "./strips.ts";

const mathematics = `${expAndLog}\n${logSigmoidShader}`;

/** Numbers that the gradient wants of each row: three of the reference, three of the logits. */
export const DIVERGENCE_NOTES = 6;

/** Which divergence: the same in WGSL and on the host. */
interface Definition {
  readonly name: string;
  /** The terms of the two expectations, `vec2f`, from log-probabilities `l` of reference and logits. */
  readonly terms: string;
  /** d / d scaled logit by the reference's side, and by the logits'. */
  readonly slopes: readonly [reference: string, logits: string];
  term(own: number, other: number, side: number): number;
  slope(own: number, other: number, expectation: number, side: number): number;
}

const parameters = { rows: "u32", columns: "u32", factor: "f32", weight: "f32" } as const;

/** log(1 / (1 + exp(-x))), which neither under- nor overflows. */
const logSigmoid = (x: number) => (x < 0 ? x : 0) - Math.log1p(Math.exp(-Math.abs(x)));

function logTotalIn(x: Floats, begin: number, columns: number, factor: number, shift: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += Math.exp(factor * x[begin + c] - shift);
  return Math.log(sum);
}

function divergence({ name, terms, slopes, term, slope }: Definition) {
  const value = withTrees(fillHoles(`${mathematics}\n${shader}`, { TERMS: terms }), {
    ...sumTree("vec2f"),
    largestOf: ["vec2f", "max(x, y)"],
  });
  return {
    /**
     * `weight` times the divergence of softmax(factor reference) and softmax(factor logits) for each row of `[rows,
     * columns]`: `output [rows]`, and `notes [rows, 6]` for the gradient.
     */
    value: defineKernel({
      name,
      reads: { reference: "f32", logits: "f32" },
      writes: { output: "f32", notes: "f32" },
      parameters,
      launch: (p, adapter) => ({ shader: value, ...overRows(p, adapter) }),
      cpu: ({ reference, logits, output, notes }, { rows, columns, factor, weight }) => {
        const sides = [reference, logits];
        for (let row = 0; row < rows; row++) {
          const begin = row * columns;
          const [a, b] = sides.map((x) => {
            const shift = factor * largestIn(x, begin, columns);
            return { shift, logTotal: logTotalIn(x, begin, columns, factor, shift) };
          });
          const expectations = [0, 0];
          for (let c = begin; c < begin + columns; c++) {
            const x = factor * reference[c] - a.shift - a.logTotal;
            const y = factor * logits[c] - b.shift - b.logTotal;
            expectations[0] += term(x, y, 0);
            expectations[1] += term(y, x, 1);
          }
          output[row] = weight * (expectations[0] + expectations[1]);
          notes.set(
            [a.shift, a.logTotal, expectations[0], b.shift, b.logTotal, expectations[1]],
            row * DIVERGENCE_NOTES,
          );
        }
      },
    }),
    /** Its gradients by reference and logits, from the rows' `gradient [rows]`. */
    gradients: slopes.map((text, side) => {
      const shader = fillHoles(`${mathematics}\n${gradientShader}`, { SLOPE: text, SIDE: `${side}u` });
      return defineKernel({
        name: `${name} d${side === 0 ? "reference" : "logits"}`,
        reads: { reference: "f32", logits: "f32", notes: "f32", gradient: "f32" },
        writes: { output: "f32" },
        parameters,
        launch: (p, adapter) => ({ shader, workgroups: spread(p.rows * p.columns, adapter) }),
        cpu: ({ reference, logits, notes, gradient, output }, { rows, columns, factor, weight }) => {
          const [own, other] = side === 0 ? [reference, logits] : [logits, reference];
          for (let row = 0; row < rows; row++) {
            const [mine, others] = [side, 1 - side].map((place) => row * DIVERGENCE_NOTES + 3 * place);
            const [shift, logTotal, expectation] = [notes[mine], notes[mine + 1], notes[mine + 2]];
            const [otherShift, otherLogTotal] = [notes[others], notes[others + 1]];
            const scale = gradient[row] * weight * factor;
            for (let c = row * columns; c < (row + 1) * columns; c++) {
              const x = factor * own[c] - shift - logTotal;
              const y = factor * other[c] - otherShift - otherLogTotal;
              output[c] = scale * slope(x, y, expectation, side);
            }
          }
        },
      });
    }),
  };
}

/** KL(reference || logits): sum_c p_c (log p_c - log q_c). */
export const klDivergenceKernels = divergence({
  name: "kl divergence",
  terms: "vec2f(expOf(l.x) * (l.x - l.y), 0.0)",
  slopes: ["expOf(own) * (own - other - expectation)", "expOf(own) - expOf(other)"],
  term: (own, other, side) => side === 0 ? Math.exp(own) * (own - other) : 0,
  slope: (own, other, expectation, side) =>
    side === 0 ? Math.exp(own) * (own - other - expectation) : Math.exp(own) - Math.exp(other),
});

const TO_THE_MIDDLE = "expOf(own) * (0.6931471805599453 + logSigmoid(own - other) - expectation)";

/** KL(p || m) + KL(q || m), m the middle of p and q, of which log(p / m) = log 2 + log sigmoid(log p - log q). */
export const jensenShannonKernels = divergence({
  name: "jensen-shannon",
  terms: "expOfBoth(l) * (0.6931471805599453 + vec2f(logSigmoid(l.x - l.y), logSigmoid(l.y - l.x)))",
  slopes: [TO_THE_MIDDLE, TO_THE_MIDDLE],
  term: (own, other) => Math.exp(own) * (Math.LN2 + logSigmoid(own - other)),
  slope: (own, other, expectation) => Math.exp(own) * (Math.LN2 + logSigmoid(own - other) - expectation),
});
