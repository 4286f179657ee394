import { UserError } from "../errors.ts";
import { showJson } from "../json.ts";
import { optionKit } from "./kit.ts";
import type { ModelDefinition } from "./model.ts";

/** A config.json as it is. */
export type ForeignConfig = Readonly<Record<string, unknown>>;

/** The key under which a config carries what other files beside it say of vectors of sentences. */
export const SENTENCE_MODULES = "sentence modules";

/** How a saved model makes a vector of a sentence, as sentence-transformers' files say it. */
export interface SentenceModules {
  /** `mean`, `cls`, or another way in sentence-transformers' words, or a module that is none of pooling. */
  readonly pooling: string;
  /** Whether vectors have the length 1. */
  readonly normalise: boolean;
  /** The most tokens of a text; `null` where that is not said. */
  readonly maxLength: number | null;
  /** What is done to texts before they are tokenized, as in "vectors of texts in lower case"; `null` for nothing. */
  readonly change: string | null;
}

/** What a config carries of them; `null` for a model of something else. */
export function sentenceModulesOf(config: ForeignConfig): SentenceModules | null {
  return (config[SENTENCE_MODULES] as SentenceModules | undefined) ?? null;
}

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
