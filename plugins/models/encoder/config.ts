import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { orderOfClasses, sayNothing } from "../../../core/plugin/class_names.ts";
import { listWords } from "../../../core/recipe/words.ts";
import type { BlockSettings } from "./block.ts";

/** A config.json in Hugging Face's form. */
export type Config = Readonly<Record<string, unknown>>;

/** Functions in a feed-forward network under all the names that Hugging Face has for them. */
const ACTIVATIONS: Readonly<Record<string, BlockSettings["activation"]>> = {
  gelu: "gelu",
  gelu_new: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  relu: "relu",
};

/** The number under a key, `null` if there is none. @throws UserError if something else stands there */
export function numberIn(config: Config, key: string): number | null {
  const value = config[key] ?? null;
  if (value === null || (typeof value === "number" && Number.isFinite(value) && value >= 0)) return value;
  throw new UserError(`Cannot read ${key} of the config: expected a number from 0 on, got ${JSON.stringify(value)}`);
}

/** The activation under a key, `null` if there is none. @throws UserError if it is none that can be computed */
export function activationIn(config: Config, key: string): BlockSettings["activation"] | null {
  const value = config[key] ?? null;
  if (value === null) return null;
  if (typeof value === "string" && Object.hasOwn(ACTIVATIONS, value)) return ACTIVATIONS[value];
  throw new UserError(`Cannot compute ${key} "${value}": expected one of ${Object.keys(ACTIVATIONS).join(", ")}`);
}

/** What Hugging Face's config.json says of the labels. */
export function labelEntries({ task, classes }: Pick<InputDescription, "task" | "classes">): Record<string, unknown> {
  const labels = task === "regression" ? ["LABEL_0"] : classes;
  return {
    id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
    ...(task === "tagging"
      ? {}
      : { problem_type: task === "regression" ? "regression" : "single_label_classification" }),
  };
}

/** The names of the classes in the order of the logits, `null` where the config has none. */
export function labelsIn({ id2label }: Config): string[] | null {
  if (typeof id2label !== "object" || id2label === null) return null;
  return Object.entries(id2label).sort(([a], [b]) => Number(a) - Number(b)).map(([, label]) => String(label));
}

/**
 * Holds a config's classes against a data set's, without case: the same ones in another order would train and measure
 * without a word, and be wrong. Others are a task of their own, for which the head is fresh.
 *
 * @throws UserError if they are the same in another order
 */
export function checkClassOrder(labels: readonly string[] | null, classes: readonly string[]): void {
  const order = labels && orderOfClasses(labels, classes);
  if (!order || order.every((number, index) => number === index) || sayNothing(labels, classes)) return;
  const [own, given] = [labels, classes].map((names) => listWords(names, "and"));
  throw new UserError(
    `Cannot run a model whose classes are ${own} in this order, on a data set in which they are ${given}: expected the ` +
      `same order`,
  );
}
