import { UserError } from "../errors.ts";
import type { Model } from "../plugin/model.ts";
import type { Section } from "../recipe/checked.ts";
import { assignLayers } from "../recipe/globs.ts";
import type { OverParameterisation } from "../recipe/recipe_type.ts";
import { doConv } from "./do_conv.ts";
import { majority } from "./majority.ts";
import { mpo } from "./mpo.ts";
import { sum } from "./sum.ts";
import type { WeightProvider } from "./weight_provider.ts";

/** Makes the provider of a weight of a shape; `null` where it would be the weight itself. */
type Kind = (entry: OverParameterisation, shape: readonly number[]) => WeightProvider | null;

const KINDS: Readonly<Record<OverParameterisation["use"], Kind>> = { mpo, sum, "do-conv": doConv, majority };

/**
 * Which weights of the student are over-parameterised, and how, in the model's order.
 *
 * @throws UserError with line and column for a pattern that matches nothing and for what does not fit a weight
 */
export function weightProviders(
  recipe: Section<readonly OverParameterisation[]>,
  model: Model,
): Map<string, WeightProvider> {
  const entries = recipe.value;
  const candidates = model.parameters.filter(({ overParameterisable }) => overParameterisable);
  const assigned = assignLayers(
    entries,
    candidates.map(({ name }) => name),
    (index, sentence) => recipe.error([index], sentence),
  );
  const providers = new Map<string, WeightProvider>();
  for (const { name, shape } of candidates) {
    const entry = assigned.get(name);
    if (!entry) continue;
    try {
      const provider = KINDS[entry.use](entry, shape);
      if (provider) providers.set(name, provider);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw recipe.error([entries.indexOf(entry)], `${error.message} (for ${name})`);
    }
  }
  return providers;
}
