import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { orderOfClasses, sayNothing } from "../../../core/plugin/class_names.ts";
import { showJson } from "../../../core/json.ts";
import { listSome } from "../../../core/recipe/words.ts";
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

/** What layer norm adds to a variance, `null` if it is not there. @throws UserError if something else stands there */
export function epsilonIn(config: Config): number | null {
  const value = config.layer_norm_eps ?? null;
  if (value === null || (typeof value === "number" && value > 0 && value <= 1)) return value;
  throw new UserError(
    `Cannot read layer_norm_eps of the config: expected a number above 0, up to 1, got ${showJson(value)}`,
  );
}

/** The activation under a key, `null` if there is none. @throws UserError if it is none that can be computed */
export function activationIn(config: Config, key: string): BlockSettings["activation"] | null {
  const value = config[key] ?? null;
  if (value === null) return null;
  if (typeof value === "string" && Object.hasOwn(ACTIVATIONS, value)) return ACTIVATIONS[value];
  throw new UserError(
    `Cannot compute ${key} ${showJson(value)}: expected one of ${Object.keys(ACTIVATIONS).join(", ")}`,
  );
}

/** Hugging Face's words for what a model answers. */
const PROBLEMS = {
  classification: "single_label_classification",
  "multi-label": "multi_label_classification",
  regression: "regression",
} as const;

/** What Hugging Face's config.json says of the labels. */
export function labelEntries({ task, classes }: Pick<InputDescription, "task" | "classes">): Record<string, unknown> {
  const labels = task === "regression" ? ["LABEL_0"] : classes;
  return {
    id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
    ...(task in PROBLEMS && { problem_type: PROBLEMS[task as keyof typeof PROBLEMS] }),
  };
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
  const [own, given] = [labels, classes].map((names) => listSome(names, "and"));
  throw new UserError(
    `Cannot run a model whose classes are ${own} in this order, on a data set in which they are ${given}: expected the ` +
      `same order`,
  );
}
