import { UserError } from "../../../core/errors.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
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
