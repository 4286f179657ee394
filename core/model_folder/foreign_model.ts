import type { InputDescription } from "../plugin/dataset.ts";
import type { Model, ModelDefinition } from "../plugin/model.ts";
import { familyOf, savedOptions } from "../plugin/saved_options.ts";
import { readConfigIfThere, withinConfig } from "./config_file.ts";

/**
 * A model that was saved by another program, built for a data set; `null` if its config.json is this program's or none.
 *
 * @throws UserError if no family builds such a model, or it does not fit the data
 */
export async function buildForeign(
  file: string,
  definitions: readonly ModelDefinition[],
  data: InputDescription,
): Promise<{ readonly architecture: string; readonly model: Model } | null> {
  const config = await readConfigIfThere(file);
  if (!config || config.architecture !== undefined || config.model_type === undefined) return null;
  return withinConfig(file, () => {
    const definition = familyOf(config, definitions);
    return { architecture: definition.name, model: definition.build(savedOptions(definition, config), data) };
  });
}
