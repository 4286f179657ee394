import { basename, join, relative } from "node:path";
import { UserError } from "../../core/errors.ts";
import { readUserFile } from "../../core/files.ts";
import { nearest } from "../../core/nearest.ts";
import { type Definitions, isPluginFile, loadPluginFile, type PluginKind } from "../../core/plugin/registry.ts";
import { builtins } from "../../plugins/builtins.ts";
import { CHECKOUT } from "./checkout.ts";

/** A plug-in and where it is. */
export interface FoundPlugin {
  readonly definition: Definitions[PluginKind];
  /** Its file as a path from the working directory; `null` for a built-in one of a bundled program. */
  readonly file: string | null;
  /** The text of that file. */
  readonly text: string | null;
}

/** Where built-in plug-ins of a kind are. */
const FOLDERS: Readonly<Record<PluginKind, string>> = { model: "models", loss: "losses", dataset: "datasets" };

/** Kinds as headings of lists, in the order of recipes. */
export const kindTitles: Readonly<Record<PluginKind, string>> = {
  dataset: "data sets",
  model: "models",
  loss: "losses",
};

/** All built-in plug-ins. */
export function allBuiltins(): Definitions[PluginKind][] {
  return (Object.keys(kindTitles) as PluginKind[]).flatMap((kind): Definitions[PluginKind][] => [...builtins[kind]]);
}

/**
 * Finds a plug-in as a recipe names it.
 *
 * @param use a built-in name, or a file relative to the working directory
 * @throws UserError if there is none
 */
export async function findPlugin(use: string): Promise<FoundPlugin> {
  const definition = allBuiltins().find(({ name }) => name === use);
  if (definition) return { definition, ...await builtinSource(definition) };
  if (!isPluginFile(use)) {
    const near = nearest(use, allBuiltins().map(({ name }) => name));
    const advice = near ? `did you mean "${near}"?` : "plugins lists them, and a file is named as in ./my_loss.ts";
    throw new UserError(`Unknown plug-in "${use}": ${advice}`);
  }
  const text = new TextDecoder().decode(await readUserFile(use, "the plug-in"));
  return { definition: await loadPluginFile(null, use, "."), file: use, text };
}

/** The file of the checkout that is called as the definition. */
async function builtinSource({ kind, name }: Definitions[PluginKind]): Promise<Pick<FoundPlugin, "file" | "text">> {
  const folder = CHECKOUT && join(CHECKOUT, "plugins", FOLDERS[kind]);
  const file = folder && [...filesIn(folder)].find((path) => basename(path) === `${name.replaceAll("-", "_")}.ts`);
  if (!file) return { file: null, text: null };
  return { file: relative(Deno.cwd(), file), text: await Deno.readTextFile(file) };
}

function* filesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesIn(join(folder, name));
    else if (name.endsWith(".ts")) yield join(folder, name);
  }
}
