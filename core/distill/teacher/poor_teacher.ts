import munkres from "munkres";
import { firstIndices, spreadIndices } from "../../data/loader.ts";
import { evaluate } from "../../evaluate/evaluate.ts";
import type { Confusion } from "../../evaluate/metrics/confusion.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples, InputDescription, ScoredPairs } from "../../plugin/dataset.ts";
import { examplesOf } from "../../plugin/pairs.ts";
import { subset } from "../load_data.ts";
import type { Teacher } from "./teacher_outputs.ts";

/** Enough to tell a teacher from a guess, and few enough for one of BERT's size on a processor. */
const MOST_EXAMPLES = 256;

/** Fewer tell nothing. */
const FEWEST = 16;

/** A chance finding is this many standard deviations away at most, nearly always. */
const DEVIATIONS = 3;

/** Another order of the classes must be right on this part, and on so much more than the order that there is. */
const [RIGHT, BETTER] = [0.5, 0.1];

/** Correlation up to which the predictions of a regression say nothing of the labels. */
const UNRELATED = 0.1;

/** What a teacher is measured with. */
export interface TeacherLook {
  readonly teacher: Pick<Teacher, "model" | "weights">;
  /** Examples that it may not have seen; those with a label count. */
  readonly examples: Examples;
  /** What they are, for the sentence: `validation`. */
  readonly split: string;
  readonly input: InputDescription;
  readonly batchSize: number;
}

/**
 * Looks at a teacher before anything is learned from it: whether it is better than a guess, and whether it would be
 * much better with its classes in another order, as it is when the data set numbers them otherwise.
 *
 * @returns what is wrong in one sentence with what would be right, or `null`
 */
export async function lookAtTeacher(ops: Ops, look: TeacherLook): Promise<string | null> {
  const { teacher: { model, weights }, examples: { labelled, pairs }, input, batchSize, split } = look;
  if (input.task === "embedding") return await lookAtVectors(ops, look, pairs);
  const known = labelled && firstIndices(labelled.length).filter((index) => labelled[index] === 1);
  const examples = known ? subset(look.examples, known) : look.examples;
  const chosen = spreadIndices(examples.length, MOST_EXAMPLES);
  if (chosen.length < FEWEST) return null;
  const some = subset(examples, chosen);
  const { confusion, metrics } = await evaluate(ops, {
    who: "the teacher",
    model,
    weights,
    examples: some,
    input,
    batchSize,
  });
  const of = `${chosen.length} ${split} examples`;
  if (confusion) return ofClasses(confusion, input, of);
  if (input.task === "multi-label" || metrics.pearson > UNRELATED) return null;
  return `the teacher's predictions go with the labels of ${of} by a correlation of ${metrics.pearson.toFixed(2)}: ` +
    "look at its weights and at how its inputs are made";
}

/** Whether cosines of a teacher's vectors go with the scores of pairs. */
async function lookAtVectors(
  ops: Ops,
  { teacher: { model, weights }, input, batchSize, split, ...look }: TeacherLook,
  pairs: ScoredPairs | undefined,
): Promise<string | null> {
  if (!pairs) return null;
  const chosen = spreadIndices(pairs.scores.length, MOST_EXAMPLES);
  if (chosen.length < FEWEST) return null;
  const examples = subset(look.examples, examplesOf(pairs, chosen));
  const { metrics } = await evaluate(ops, { who: "the teacher", model, weights, examples, input, batchSize });
  if (metrics.spearman > UNRELATED) return null;
  return `the cosines of the teacher's vectors go with the scores of ${chosen.length} ${split} pairs by a rank correlation of ` +
    `${metrics.spearman.toFixed(2)}: look at its weights, its pooling, and at what the scores mean`;
}

function ofClasses(confusion: Confusion, { task, classes }: InputDescription, of: string): string | null {
  const total = sum(confusion.map(sum));
  const part = (count: number) => count / total;
  const right = part(sum(confusion.map((row, index) => row[index])));
  // What the teacher would get by giving its answers to examples at random.
  const guessed = sum(
    confusion.map((row, index) => part(sum(row)) * part(sum(confusion.map((other) => other[index])))),
  );
  const unit = task === "tagging" ? `the tokens of ${of}` : of;
  const order = bestOrder(confusion);
  const reordered = part(sum(order.map((label, answer) => confusion[label][answer])));
  const margin = DEVIATIONS * deviation(right, total);
  if (reordered >= RIGHT && reordered - right >= Math.max(BETTER, margin)) {
    const moved = order.flatMap((label, answer) =>
      label === answer ? [] : [`${classes[answer]} for ${classes[label]}`]
    );
    const shown = moved.length > 3 ? [...moved.slice(0, 3), "..."] : moved;
    return `the teacher is right on ${percent(right)} of ${unit}, and would be on ${
      percent(reordered)
    } if its answers ` +
      `were taken in another order (${shown.join(", ")}): if that is its order, name the classes in it with ` +
      "dataset.classes, else look at its weights and at how its inputs are made (mean and std, tokenizer)";
  }
  // Cohen's kappa. Where one class is nearly all, few examples tell a good teacher from a guess.
  const kappa = guessed === 1 ? 1 : (right - guessed) / (1 - guessed);
  if (kappa >= RIGHT || right > guessed + DEVIATIONS * deviation(guessed, total)) return null;
  return `the teacher is right on ${percent(right)} of ${unit}, no more than a guess (${
    percent(guessed)
  }): look at its ` +
    "weights, at how its inputs are made (mean and std, tokenizer), and at the order of its classes";
}

/** The label that each of the teacher's answers stands for, if it is to be right as often as can be. */
function bestOrder(confusion: Confusion): number[] {
  const order = new Array<number>(confusion.length);
  // It looks for the least cost.
  for (const [label, answer] of munkres(confusion.map((row) => row.map((count) => -count)))) order[answer] = label;
  return order;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const deviation = (part: number, count: number) => Math.sqrt(part * (1 - part) / count);
const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
