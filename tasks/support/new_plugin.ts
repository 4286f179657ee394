import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../../core/errors.ts";
import { fileError } from "../../core/files.ts";
import { nearest } from "../../core/nearest.ts";
import { type PluginKind, pluginKinds } from "../../core/plugin/registry.ts";
import { CHECKOUT } from "./checkout.ts";
import { allBuiltins } from "./find_plugin.ts";
import { datasetTemplate } from "./templates/dataset.ts";
import { lossTemplate, lossTestTemplate } from "./templates/loss.ts";
import { modelTemplate } from "./templates/model.ts";

/** Where the types come from in a program that is no checkout. */
const PACKAGE = "@opdf/opdf";

/** The files written, and what to do next. */
export interface WrittenPlugin {
  readonly files: readonly string[];
  readonly advice: readonly string[];
}

/**
 * Writes a plug-in that works as it is, to be changed into another.
 *
 * @param folder where to; it is made if it is not there
 * @throws UserError for a kind or a name that cannot be, and for files that are there already
 */
export async function writePlugin(kind: string, name: string, folder: string): Promise<WrittenPlugin> {
  const known = kindOf(kind);
  refuseName(name);
  const file = join(folder, `${name.replaceAll("-", "_")}.ts`);
  const texts = textsOf(known, name, file, typesFrom(folder));
  for (const path of texts.keys()) {
    const there = await Deno.lstat(path).then(() => true, () => false);
    if (there) throw new UserError(`Cannot write "${path}" as it is there already: choose another name or folder`);
  }
  await Deno.mkdir(folder, { recursive: true }).catch((error) => {
    throw fileError(error, "make the folder", folder);
  });
  for (const [path, text] of texts) {
    await Deno.writeTextFile(path, text, { createNew: true }).catch((error) => {
      throw fileError(error, "write", path);
    });
  }
  return { files: [...texts.keys()], advice: adviceFor(known, [...texts.keys()]) };
}

function kindOf(kind: string): PluginKind {
  const known = pluginKinds.find((other) => other === kind);
  if (known) return known;
  const near = nearest(kind, pluginKinds);
  throw new UserError(
    `Unknown kind of plug-in "${kind}": ${near ? `did you mean "${near}"?` : "expected loss, model or dataset"}`,
  );
}

function refuseName(name: string): void {
  const refuse = (reason: string) => new UserError(`Cannot name a plug-in "${name}": ${reason}`);
  if (!/^[a-z][a-z\d]*(-[a-z\d]+)*$/.test(name)) {
    throw refuse("expected small letters, digits and single hyphens, as in my-loss");
  }
  if (allBuiltins().some((definition) => definition.name === name)) throw refuse("a built-in one has that name");
}

function textsOf(kind: PluginKind, name: string, file: string, library: string): Map<string, string> {
  if (kind === "model") return new Map([[file, modelTemplate(name, library)]]);
  if (kind === "dataset") return new Map([[file, datasetTemplate(name, library)]]);
  return new Map([
    [file, lossTemplate(name, library)],
    [file.replace(/\.ts$/, "_test.ts"), lossTestTemplate(name, library, `./${basename(file)}`)],
  ]);
}

/** The module from which a file in this folder imports our types. */
function typesFrom(folder: string): string {
  if (CHECKOUT === null || Deno.build.standalone) return PACKAGE;
  const module = join(CHECKOUT, "mod.ts");
  const path = relative(resolve(folder), module).replaceAll("\\", "/");
  // On Windows there is no way from one drive to another.
  if (isAbsolute(path)) return pathToFileURL(module).href;
  return path.startsWith(".") ? path : `./${path}`;
}

function adviceFor(kind: PluginKind, [file, test]: readonly string[]): string[] {
  const path = file.replaceAll("\\", "/");
  const use = isAbsolute(file) ? path : `./${path}`;
  const recipes = {
    loss: `losses: [{ use: ${use} }]`,
    model: `student: { use: ${use} }`,
    dataset: `dataset: { use: ${use} }`,
  };
  return [
    `check it  deno task plugin check ${path}`,
    ...(test ? [`test it   deno test ${test.replaceAll("\\", "/")}`] : []),
    `use it    ${recipes[kind]} in a recipe here, its path relative to the recipe's base`,
  ];
}
