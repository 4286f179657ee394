import type { Recipe } from "./schema.ts";

/** How a recipe's loss weights classes, where it does: the option is the plug-in's own affair. */
export function classWeightsOf(loss: Recipe["losses"][number]): unknown {
  return (loss as { readonly classWeights?: unknown }).classWeights;
}
