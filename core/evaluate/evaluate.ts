import { expectArguments } from "../arguments.ts";
import { UserError } from "../errors.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Examples, InputDescription } from "../plugin/dataset.ts";
import { hasClasses } from "../plugin/inputs.ts";
import { labelledOf } from "../plugin/labelled.ts";
import type { Model } from "../plugin/model.ts";
import type { Tensor } from "../tensor.ts";

import { firstIndices } from "../data/loader.ts";
import { type AnsweredBatch, logCertainty } from "./answers.ts";
import { batchesOf } from "./batches.ts";
import { breathe } from "./breathe.ts";
import { agreementOf } from "./decisions.ts";
import { computeBatches } from "./compute_batches.ts";
import { type GivenLabels, lossSum } from "./loss_sum.ts";
import type { Confusion } from "./metrics/confusion.ts";
import { type LabelScores, labelScores } from "./metrics/class_scores.ts";
import { type ClassName, metricsOf } from "./metrics/metrics.ts";
import { severalLabelMetrics, USUAL_THRESHOLD } from "./metrics/several_labels.ts";
import type { TypeScores } from "./metrics/spans.ts";
import { inferOn, predictionsOf, scoredIn } from "./predictions.ts";
import { pairMetrics, vectorAgreement } from "./vectors.ts";

/** How well a model does on a list of examples. */
export interface Evaluation {
  /**
   * Part of the examples with a label, or of the scored tokens, that the model is right about (of several labels: about
   * every class); `null` for a regression and vectors, and where no example has a label.
   */
  readonly accuracy: number | null;
  /**
   * Mean cross-entropy in nats, over examples with a label or scored tokens; of several labels the mean binary one,
   * over classes, too; of a CRF minus the log-likelihood of its chains, over their tokens; mean squared error for a
   * regression. `null` for vectors, and where no example has a label.
   */
  readonly loss: number | null;
  /** How many examples were given. */
  readonly examples: number;
  /** How many of them have a label: all that is measured is of these, but for `agreement`, which is of all examples. */
  readonly labelled: number;
  /**
   * All that the task is measured by, by name: `accuracy`, `f1`, `matthews`, `auc`, `f1Macro`, `mAP`, or `pearson`,
   * `spearman`, and others; none of them where no example has a label, and no `auc` where all are of one class.
   * `agreement` with a teacher, where its decisions are given.
   */
  readonly metrics: Readonly<Record<string, number>>;
  /** The class that `f1` is of; `null` where it is not that of a class. */
  readonly positiveClass: string | null;
  /** The scores of each class, or tag; `null` for a regression, and where no example has a label. */
  readonly classes: readonly LabelScores[] | null;
  /** The scores of each type of spans that tags mark; `null` where they mark none. */
  readonly spans: readonly TypeScores[] | null;
  /** `[true class][predicted class]`; `null` for a regression and several labels, and where no example has a label. */
  readonly confusion: Confusion | null;
  /** What was answered to each example, batch by batch; missing unless it was asked for. */
  readonly answers?: readonly AnsweredBatch[];
}

/** The model to evaluate, and the examples. */
export interface EvaluationCall {
  /** The model. */
  readonly model: Model;
  /** Its weights. */
  readonly weights: Weights;
  /** For messages: "the teacher". "the model" by default. */
  readonly who?: string;
  /** What it is measured on. */
  readonly examples: Examples;
  /** The data set's task and classes. */
  readonly input: InputDescription;
  /** Examples that are computed at once. */
  readonly batchSize: number;
  /** The class whose F1 is asked for; unset or `null`: the second of two. */
  readonly positiveClass?: ClassName | null;
  /** The probability from which an example is of a class, where it may be of several; 0.5 by default. */
  readonly threshold?: number;
  /**
   * What a teacher decides about each example, a class or a number (of several labels a logit for each class, else its
   * vector), to be compared with; not for tagging.
   */
  readonly taught?: ArrayLike<number> | null;
  /** Whether the answers to the single examples are wanted as well. */
  readonly answers?: boolean;
}

/** What a model gives for some examples is NaN or infinite. */
export class NonFiniteOutputs extends UserError {}

/**
 * Loss and metrics over a split, batch by batch; everything is read back once at the end.
 *
 * @throws UserError if outputs are NaN: the largest of them would be the first class's, and look like an answer
 *
 * @example A model of this program on a data set of one's own
 * ```ts
 * import { type Dataset, evaluate, type Model, type Ops, type Weights } from "@opdf/opdf";
 *
 * async function accuracy(ops: Ops, model: Model, weights: Weights, { splits, input }: Dataset) {
 *   const { accuracy } = await evaluate(ops, { model, weights, examples: splits.test, input, batchSize: 500 });
 *   return accuracy;
 * }
 * ```
 */
export async function evaluate(ops: Ops, call: EvaluationCall): Promise<Evaluation> {
  expectArguments("evaluate", { ops: [ops, "operations (see createOps)"], call: [call, "a map"] });
  expectArguments("evaluate", {
    "call.model": [call.model, "a model, { parameters, ... }"],
    "call.weights": [call.weights, "a map"],
    "call.examples": [call.examples, "a map"],
    "call.input": [call.input, "a map"],
    "call.batchSize": [call.batchSize, "a whole number from 1"],
  });
  const { model, weights, who = "the model", examples, input, batchSize, positiveClass: wanted = null, taught = null } =
    call;
  const { threshold = USUAL_THRESHOLD, answers: answersWanted = false } = call;
  const { task, classes } = input;
  const labels: GivenLabels[] = [];
  const asked: Uint32Array[] = [];
  // By the logits of two classes their examples are ranked.
  const isRanked = task === "classification" && classes.length === 2;
  const [decisions, lossSums, rankings, certainties]: Tensor[][] = [[], [], [], []];
  const computed = computeBatches(examples, batchesOf(firstIndices(examples.length), batchSize), (indices) => {
    const hostBatch = examples.batch(indices);
    const given: GivenLabels = { label: hostBatch.label, labelled: hostBatch.labelled ?? null };
    const tensors = ops.scope(() => {
      const outputs = inferOn(ops, model, weights, hostBatch);
      const certainty = answersWanted ? logCertainty(ops, task, outputs) : null;
      const { logits } = outputs;
      return [
        predictionsOf(ops, task, outputs),
        lossSum(ops, task, outputs, given),
        ...isRanked ? [ops.reshape(logits, logits.shape)] : [],
        ...certainty ? [certainty] : [],
      ];
    });
    return { tensors, given };
  });
  for await (const { indices, result: { tensors: [decision, loss, ...more], given } } of computed) {
    asked.push(indices);
    labels.push(given);
    decisions.push(decision);
    lossSums.push(loss);
    if (isRanked) rankings.push(more.shift()!);
    certainties.push(...more);
    await breathe();
  }
  const results = [decisions, lossSums, rankings, certainties];
  const numbers = await ops.read(results.flat());
  results.flat().forEach((tensor) => tensor.dispose());
  const [predictions, sums, ranked, logarithms] = results.map(({ length }) => numbers.splice(0, length));
  const losses = sums.map(([value]) => value);
  const certain = logarithms.map((own) => own.map(Math.exp));
  // Infinite is the loss of a class to which a model gives no probability at all.
  const broken = losses.findIndex((value) => Number.isNaN(value) || !hasClasses(task) && value === Infinity);
  if (broken >= 0) {
    const [first, last] = [asked[broken][0], asked[broken].at(-1)!];
    throw new NonFiniteOutputs(
      `Cannot measure ${who} as its outputs for the examples ${first} to ${last} are not finite numbers: its weights, ` +
        "or the numbers of these examples, are NaN or too large",
    );
  }
  const answers = answersWanted && {
    answers: labels.map((given, batch): AnsweredBatch => {
      return { indices: asked[batch], ...given, decided: predictions[batch], certainty: certain[batch] ?? null };
    }),
  };
  const labelled = labelledOf(examples);
  const agreement = taught && {
    agreement: task === "embedding"
      ? vectorAgreement(own(predictions), taught, examples.length)
      : agreementOf(task, own(predictions), taught, threshold),
  };
  const nothing = { accuracy: null, loss: null, ...NO_CLASSES };
  if (task === "embedding") {
    const measured = examples.pairs && pairMetrics(own(predictions), examples.length, examples.pairs);
    return { ...nothing, examples: examples.length, labelled, metrics: { ...measured, ...agreement }, ...answers };
  }
  if (labelled === 0) {
    return { ...nothing, examples: examples.length, labelled, metrics: { ...agreement }, ...answers };
  }
  const loss = losses.reduce((sum, value) => sum + value, 0);
  const scored = labels.reduce((sum, given) => sum + scoredIn(task, given), 0);
  const known = labels.map((given, index) => withLabel(given, predictions[index]));
  const [truth, decided] = [known.map(({ label }) => label), known.map(({ decided }) => decided)];
  const measure = () => {
    if (task !== "multi-label") {
      const scores = isRanked ? ranked.map((logits, index) => withLabel(labels[index], margins(logits)).decided) : null;
      return metricsOf(input, truth, decided, wanted, scores);
    }
    const { metrics, counts } = severalLabelMetrics(classes.length, truth, decided, threshold);
    return { ...NO_CLASSES, metrics, classes: counts.map((own, label) => labelScores(classes[label], own)) };
  };
  const measured = measure();
  return {
    accuracy: measured.metrics.accuracy ?? null,
    loss: loss / scored,
    examples: examples.length,
    labelled,
    ...measured,
    metrics: { ...measured.metrics, ...agreement },
    ...answers,
  };
}

const NO_CLASSES = { positiveClass: null, confusion: null, classes: null, spans: null };

/** How much more of the second of two classes each example looks like: equal only where the probabilities would be. */
function margins(logits: ArrayLike<number>): number[] {
  return Array.from({ length: logits.length / 2 }, (_, row) => logits[2 * row + 1] - logits[2 * row]);
}

const own = (batches: readonly ArrayLike<number>[]) => batches.flatMap((numbers) => Array.from(numbers));

/** The labels and decisions of the examples that have a label. */
function withLabel({ label, labelled }: GivenLabels, decided: ArrayLike<number>) {
  if (!labelled) return { label, decided };
  const each = label.data.length / labelled.data.length;
  const isLabelled = (_: unknown, place: number) => labelled.data[Math.floor(place / each)] === 1;
  const data = label.data.filter(isLabelled);
  return {
    label: { data, shape: [data.length / each, ...label.shape.slice(1)] },
    decided: Array.from(decided).filter(isLabelled),
  };
}
