import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../errors.ts";
import type { DatasetDefinition } from "./dataset.ts";
import type { LossDefinition } from "./loss.ts";
import type { ModelDefinition } from "./model.ts";

/** Definitions by kind. */
export interface Definitions {
  /** Teachers and students. */
  readonly model: ModelDefinition;
  /** Distillation losses. */
  readonly loss: LossDefinition;
  /** Data set formats. */
  readonly dataset: DatasetDefinition;
}

/** What kinds of plug-in there are. */
export type PluginKind = keyof Definitions;

/** The plug-ins that come with the program. */
export type Builtins = { readonly [Kind in PluginKind]: readonly Definitions[Kind][] };

/** What a plug-in's default export must have, beside `kind`, `name` and `options`. */
const METHOD: Readonly<Record<PluginKind, string>> = { model: "build", loss: "create", dataset: "load" };

/** Whether a name in a recipe is a file's rather than a built-in plug-in's. */
export function isPluginFile(use: string): boolean {
  return /^\.{0,2}[\\/]|\.[jt]s$/.test(use) || isAbsolute(use);
}

/**
 * Loads a plug-in from a file: its default export is the definition.
 *
 * @param base the folder that a relative path counts from
 * @throws UserError if the file cannot be loaded, or its default export is no plug-in of that kind
 */
export async function loadPluginFile<Kind extends PluginKind>(
  kind: Kind,
  use: string,
  base: string,
): Promise<Definitions[Kind]> {
  const path = resolve(base, use);
  let definition: Partial<Record<string, unknown>> | undefined;
  try {
    definition = (await import(pathToFileURL(path).href)).default;
  } catch (error) {
    throw new UserError(`Cannot load the ${kind} plug-in "${use}": ${(error as Error).message}`, { cause: error });
  }
  const missing = definition?.kind !== kind
    ? `kind: "${kind}"`
    : ["name", "options", METHOD[kind]].find((key) => definition[key] === undefined);
  if (missing) {
    throw new UserError(`Cannot use "${use}" as a ${kind} plug-in: its default export has no ${missing}`);
  }
  return definition as unknown as Definitions[Kind];
}
