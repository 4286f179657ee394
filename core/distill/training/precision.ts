import type { Ops } from "../../ops/ops.ts";
import type { Batch } from "../../plugin/dataset.ts";
import type { Model } from "../../plugin/model.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Tensor } from "../../tensor.ts";

/** A backend computes in float32 alone; another one may not. The message is a part of a sentence. */
export class NoFloat16 extends Error {
  static {
    this.prototype.name = "NoFloat16";
  }
}

/** Refuses a precision that the backend does not have. @throws UserError at `precision`, caused by {@link NoFloat16} */
export function expectPrecision(recipe: Section<Recipe["train"]>, { backend: { f16, name, description } }: Ops): void {
  if (recipe.value.precision === "f32" || f16) return;
  const lacking = name === "cpu"
    ? "the cpu backend computes in float32"
    : `"${description}" was opened without the feature shader-f16, if it has that at all`;
  const refusal = recipe.error(
    ["precision"],
    `Cannot train with train.precision: f16 as ${lacking}; use f32, or --backend webgpu on an adapter with shader-f16`,
  );
  refusal.cause = new NoFloat16(lacking);
  throw refusal;
}

/**
 * Runs a model's forward pass with its activations kept in a precision. Of the batch images become float16, too; tokens
 * are numbers of rows, which it does not hold.
 *
 * @param model one that cannot be replayed may hand its tensors to others, who want float32
 */
export function inPrecision<Result>(
  { device }: Ops,
  precision: Recipe["train"]["precision"],
  model: Model,
  batch: Batch<Tensor>,
  body: (batch: Batch<Tensor>) => Result,
): Result {
  if (precision === "f32" || model.replay === false) return body(batch);
  return device.storeActivations(precision, () => {
    const { image } = batch;
    return body(image ? { ...batch, image: device.inFormat(image, precision) } : batch);
  });
}
