import { UserError } from "../errors.ts";
import { showJson } from "../json.ts";
import { optionKit } from "./kit.ts";
import type { ModelDefinition } from "./model.ts";

/** A config.json as it is. */
export type ForeignConfig = Readonly<Record<string, unknown>>;

/** The family that builds a Hugging Face model. @throws UserError if there is none */
export function familyOf(
  { model_type: type }: ForeignConfig,
  definitions: readonly ModelDefinition[],
): ModelDefinition {
  const family = definitions.find(({ modelTypes }) => modelTypes?.includes(String(type)));
  if (family) return family;
  const known = definitions.flatMap(({ modelTypes }) => modelTypes ?? []);
  const [reason] = definitions.flatMap(({ otherTypes = {} }) =>
    Object.hasOwn(otherTypes, String(type)) ? otherTypes[String(type)] : []
  );
  const why = reason === undefined ? "" : `, as ${reason}`;
  throw new UserError(`Cannot build a model of type ${showJson(type)}${why}: expected one of ${known.join(", ")}`);
}

/** The options of a saved model, by its family's own reading of its config.json; `null` if the family reads none. */
export function savedOptions(definition: ModelDefinition, config: ForeignConfig): unknown {
  return definition.fromConfig?.(config, definition.options(optionKit).parse({})) ?? null;
}
