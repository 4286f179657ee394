import type { Backend } from "../../backend/backend.ts";
import type { ForwardCall, ModelOutputs } from "../../plugin/model.ts";
import type { Section } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { Student } from "../student/student.ts";

/** Refuses a precision that the backend does not have. @throws UserError at `precision` */
export function expectPrecision(recipe: Section<Recipe["train"]>, { f16, name, description }: Backend): void {
  if (recipe.value.precision === "f32" || f16) return;
  const lacking = name === "cpu"
    ? "the cpu backend computes in float32"
    : `"${description}" was opened without the feature shader-f16, if it has that at all`;
  throw recipe.error(
    ["precision"],
    `Cannot train with train.precision: f16 as ${lacking}; use f32, or --backend webgpu on an adapter with shader-f16`,
  );
}

/**
 * A student's forward pass, with its activations kept in a recipe's precision. Of the batch images become float16, too;
 * tokens are numbers of rows, which it does not hold.
 */
export function forwardIn(
  precision: Recipe["train"]["precision"],
  { model }: Student,
  call: ForwardCall,
): ModelOutputs {
  if (precision === "f32") return model.forward(call);
  const { ops: { device }, batch: { image, ...batch } } = call;
  return device.storeActivations(precision, () => {
    const activations = image && { image: device.inFormat(image, precision) };
    return model.forward({ ...call, batch: { ...batch, ...activations } });
  });
}
