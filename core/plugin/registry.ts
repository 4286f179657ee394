import { isUrl } from "../data/remote_file.ts";
import { UserError } from "../errors.ts";
import { fileAddress, isAbsolute, resolve } from "../paths.ts";
import type { DatasetDefinition } from "./dataset.ts";
import { guardDefinition } from "./guard.ts";
import { importFailure } from "./import_failure.ts";
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

/** The kinds of plug-in. */
export type PluginKind = keyof Definitions;

/** The method that makes the model, loss or data set of a plug-in. */
const METHOD: Readonly<Record<PluginKind, string>> = { model: "build", loss: "create", dataset: "load" };

/** All kinds of plug-in. */
export const pluginKinds = Object.keys(METHOD) as readonly PluginKind[];

/** The plug-ins that a recipe can name without a file. */
export interface Builtins {
  /** Teachers and students. */
  readonly model: readonly ModelDefinition[];
  /** Distillation losses. */
  readonly loss: readonly LossDefinition[];
  /** Data set formats. */
  readonly dataset: readonly DatasetDefinition[];
  /** Whether a recipe may also name one by its URL and its hash: code from the network. False by default. */
  readonly allowUrls?: boolean;
  /** Is told of each plug-in that a recipe names by its file, before any of its code runs. */
  readonly beforeFile?: (file: PluginFile) => void | Promise<void>;
}

/** A plug-in that a recipe names by its file. */
export interface PluginFile {
  /** Which kind is wanted. */
  readonly kind: PluginKind;
  /** The absolute path. */
  readonly path: string;
  /** The recipe that names it, as the user wrote it. */
  readonly recipe: string;
}

/** Whether a name in a recipe is a file's rather than a built-in plug-in's. */
export function isPluginFile(use: string): boolean {
  return !isUrl(use) && (/^\.{0,2}[\\/]|\.[jt]s$/.test(use) || isAbsolute(use));
}

/**
 * Loads a plug-in from a file: its default export is the definition.
 *
 * @param kind which kind is wanted; `null` for any
 * @param base the folder that a relative path counts from
 * @throws UserError if the file cannot be loaded, or its default export is no plug-in of that kind
 */
export async function loadPluginFile<Kind extends PluginKind>(
  kind: Kind | null,
  use: string,
  base: string,
): Promise<Definitions[Kind]> {
  return await importDefinition(kind, use, fileAddress(resolve(base, use)));
}

/**
 * Loads a plug-in from a module.
 *
 * @param kind which kind is wanted; `null` for any
 * @param use what the user calls it
 * @param module the specifier to import: a `file:` or `data:` URL
 * @returns the definition; what goes wrong in it later is told under its name
 * @throws UserError if the module cannot be loaded, or its default export is no plug-in of that kind
 */
export async function importDefinition<Kind extends PluginKind>(
  kind: Kind | null,
  use: string,
  module: string,
): Promise<Definitions[Kind]> {
  const what = kind ? `${kind} plug-in` : "plug-in";
  let definition: Partial<Record<string, unknown>> | undefined;
  try {
    definition = (await import(module)).default;
  } catch (error) {
    throw new UserError(`Cannot load the ${what} "${use}": ${importFailure(error, module)}`, { cause: error });
  }
  const missing = missingPart(kind, definition);
  if (missing) throw new UserError(`Cannot use "${use}" as a ${what}: ${missing}`);
  return guardDefinition(definition as unknown as Definitions[Kind]);
}

/** The first part that a definition lacks, in words. */
function missingPart(kind: PluginKind | null, definition?: Partial<Record<string, unknown>>): string | undefined {
  if (typeof definition !== "object" || definition === null) return "it has no default export with a definition";
  const found = pluginKinds.find((known) => definition.kind === known);
  if (kind && found !== kind) return `its default export has no kind: "${kind}"`;
  if (!found) return `its default export has no kind: "model", "loss" or "dataset"`;
  if (typeof definition.name !== "string") return "its default export has no name";
  const missing = ["options", METHOD[found]].find((key) => typeof definition[key] !== "function");
  return missing && `its default export has no ${missing}`;
}
