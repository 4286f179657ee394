import type { ResolvedPlugins } from "../../core/distill/resolve_plugins.ts";
import { trainingMemory } from "../../core/distill/student/memory_check.ts";
import { trainingSize } from "../../core/distill/student/training_size.ts";
import { trainedNumbers } from "../../core/overparameterise/weight_provider.ts";
import { weightProviders } from "../../core/overparameterise/weight_providers.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { showBytes } from "../../core/show_bytes.ts";
import { grouped } from "../support/format.ts";

/**
 * What a recipe's student is and takes by its shapes alone: `bert, 547,938 parameters in training, 408,674 at
 * inference; at least 8.77 MB beside the activations`.
 *
 * @param input what the data set gives, texts in any length
 * @throws UserError for a student that cannot be built
 */
export function countStudent(
  recipe: Checked<Recipe>,
  { dataset, student }: Pick<ResolvedPlugins, "dataset" | "student">,
  input: InputDescription,
): string {
  // Texts were looked at in more than the length that was chosen.
  const text = input.text && { ...input.text, maxLength: dataset.options.maxLength ?? input.text.maxLength };
  const model = recipe.within(student.path, () => student.definition.build(student.options, { ...input, text }));
  const providers = weightProviders(recipe.part("student").part("overParameterise"), model);
  const { bytes } = trainingMemory(model, providers, new Map(), recipe.value.train.optimiser);
  const size = trainingSize(model.parameters, (_, name) => {
    const provider = providers.get(name);
    return provider ? trainedNumbers(provider) : null;
  });
  const [training, inference] = [size.training, size.inference].map(grouped);
  return `${student.definition.name}, ${training} parameters in training, ${inference} at inference; at least ` +
    `${showBytes(bytes)} beside the activations`;
}
