import { dirname, extname, join, relative } from "node:path";
import { z } from "zod";
import { isUrl } from "../../core/data/remote_file.ts";
import { sha256OfFolder } from "../../core/distill/load_data.ts";
import { makeFolder, readUserFile, readUserFolder, writeFileAtomically } from "../../core/files.ts";
import { CONFIG_FILE } from "../../core/model_folder/config_file.ts";
import { describingFolder } from "../../core/model_folder/describing_folder.ts";
import { PROCESSOR_FILE } from "../../core/model_folder/image_processor.ts";
import { DamagedMessage } from "../../core/onnx/protobuf.ts";
import { readGraph } from "../../core/onnx/read_graph.ts";
import { isPluginFile } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { sha256 } from "../../core/sha256.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { readOwnJson } from "../support/own_json.ts";

/** What a run is made from besides its recipe. */
const kinds = ["data", "weights", "plug-in"] as const;
type Kind = typeof kinds[number];

/** SHA-256 of what a run reads, by the names that its recipe has for it. */
export type Inputs = { readonly [Key in Kind]?: Readonly<Record<string, string>> };

/** The file of a run folder that records its run's inputs. */
const INPUTS_FILE = "inputs.json";

const hashes = z.record(z.string(), z.string()).optional();
const inputsSchema = z.strictObject({ data: hashes, weights: hashes, "plug-in": hashes });

/** The inputs recorded in a run folder; nothing if there is no record. @throws UserError if the record is damaged */
export async function readInputs(folder: string): Promise<Inputs> {
  const file = join(folder, INPUTS_FILE);
  const remedy = `remove "${folder}", and the run is done anew`;
  return await readOwnJson(file, "the record of a run's inputs", inputsSchema, remedy) ?? {};
}

/** Writes down what a run reads. @throws UserError if the folder cannot be made */
export async function writeInputs(folder: string, inputs: Inputs): Promise<void> {
  await makeFolder(folder, "the run folder");
  await writeFileAtomically(join(folder, INPUTS_FILE), await sealJson(inputs));
}

/** Hashes of what recipes name. Each file is read once, however many runs name it. */
export class InputHashes {
  readonly #known = new Map<string, Promise<string | null>>();

  /**
   * What a run reads that its recipe names itself: weights and plug-ins. Its data are named by the data set's plug-in.
   */
  async named(recipe: Checked<Recipe>): Promise<Inputs> {
    const { dataset, teacher, student, losses } = recipe.value;
    const teachers = teacher ? [teacher, ...teacher.others] : [];
    const weights = [...teachers, student].flatMap((model) => {
      // A config.json beside weights is among their files; one that is named stands elsewhere.
      const { config } = model as { readonly config?: unknown };
      return [model.weights, config].filter((name) => typeof name === "string");
    });
    const uses = [dataset, ...teachers, student, ...losses].map(({ use }) => use);
    return {
      weights: await this.#all(recipe, "weights", weights),
      "plug-in": await this.#all(recipe, "plug-in", uses.filter(isPluginFile)),
    };
  }

  /**
   * The first input whose content is another now, in words; `null` if there is none. One that is not there any more is
   * not compared, so that results can still be shown without it.
   *
   * @param dataNow the hashes of the data as the recipe's data set has them: of a folder it alone knows what counts
   */
  async changed(
    recipe: Checked<Recipe>,
    inputs: Inputs,
    dataNow: (() => Promise<Readonly<Record<string, string>>>) | null = null,
  ): Promise<string | null> {
    for (const kind of kinds) {
      for (const [name, before] of Object.entries(inputs[kind] ?? {})) {
        const isItsOwn = kind === "data" && dataNow !== null && await isFolder(recipe, name);
        const now = isItsOwn ? (await dataNow!())[name] ?? null : await this.#of(recipe, kind, name);
        if (now !== null && now !== before) return `"${name}" (${kind})`;
      }
    }
    return null;
  }

  async #all(recipe: Checked<Recipe>, kind: Kind, names: readonly string[]): Promise<Record<string, string>> {
    const hashes: Record<string, string> = {};
    for (const name of names) {
      const hash = await this.#of(recipe, kind, name);
      if (hash !== null) hashes[name] = hash;
    }
    return hashes;
  }

  #of(recipe: Checked<Recipe>, kind: Kind, name: string): Promise<string | null> {
    // A download is the same for ever, as the recipe has its hash.
    if (isUrl(name)) return Promise.resolve(null);
    const path = resolveFile(recipe, name);
    const key = `${kind} ${path}`;
    const hash = this.#known.get(key) ?? hashOf[kind](path);
    this.#known.set(key, hash);
    return hash;
  }
}

const hashOf: Readonly<Record<Kind, (path: string) => Promise<string | null>>> = {
  /** As the core's loading of data hashes what a data set's plug-in reads. */
  async data(path) {
    const info = await infoOf(path);
    if (!info) return null;
    return info.isDirectory ? sha256OfFolder(await readUserFolder(path, "the data")) : hashOfFile(path);
  },
  async weights(path) {
    const info = await infoOf(path);
    return info && hashOfFiles(info.isDirectory ? path : dirname(path), await weightFiles(path));
  },
  async "plug-in"(path) {
    return await infoOf(path) && hashOfFiles(dirname(path), await pluginModules(path));
  },
};

const isFolder = async (recipe: Checked<Recipe>, name: string) =>
  !isUrl(name) && (await infoOf(resolveFile(recipe, name)))?.isDirectory === true;

const infoOf = (path: string) => Deno.stat(path).catch(() => null);

async function hashOfFile(path: string): Promise<string> {
  return await sha256(await readUserFile(path, "the input"));
}

/** @param root what their names are told from */
async function hashOfFiles(root: string, files: readonly string[]): Promise<string> {
  const hashes: string[] = [];
  for (const file of files) hashes.push(`${relative(root, file).replaceAll("\\", "/")} ${await hashOfFile(file)}`);
  return await sha256(new TextEncoder().encode(hashes.join("\n")));
}

/**
 * The files of a model: all of its folder, or one, with what beside it says how it is used and the parts that it names.
 */
export async function weightFiles(path: string): Promise<string[]> {
  if ((await infoOf(path))?.isDirectory) return await filesWithin(path);
  const describing = await describingFolder(path);
  const beside = [CONFIG_FILE, PROCESSOR_FILE].map((name) => join(describing, name));
  const files = [path, ...await partsOf(path), ...beside];
  const there = await Promise.all(files.map(async (file) => (await infoOf(file))?.isFile === true));
  return [...new Set(files.filter((_, index) => there[index]))];
}

/** The files that a model's file names: an index of safetensors, TensorFlow.js's model.json, or an ONNX model. */
async function partsOf(path: string): Promise<string[]> {
  const folder = dirname(path);
  if (extname(path) === ".json") {
    const text = await Deno.readTextFile(path);
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    return names.filter((name) => text.includes(`"${name}"`)).map((name) => join(folder, name));
  }
  if (extname(path) !== ".onnx") return [];
  try {
    return readGraph(await readUserFile(path, "the model")).locations.map((location) => join(folder, location));
  } catch (error) {
    // Who opens it says what is wrong with it.
    if (error instanceof DamagedMessage) return [];
    throw error;
  }
}

/** All files of a folder and of those in it, in a fixed order. */
export async function filesWithin(folder: string): Promise<string[]> {
  const found: string[] = [];
  const entries = (await Array.fromAsync(Deno.readDir(folder))).sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    const path = join(folder, name);
    if (isDirectory) found.push(...await filesWithin(path));
    else if ((await infoOf(path))?.isFile) found.push(path);
  }
  return found;
}

/** A module and those of its imports that are files beside it, and theirs. */
export async function pluginModules(path: string): Promise<string[]> {
  const found = [path];
  for (const file of found) {
    const text = await Deno.readTextFile(file);
    for (const [, specifier] of text.matchAll(/\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+)["']/g)) {
      const imported = join(dirname(file), specifier);
      if (!found.includes(imported) && (await infoOf(imported))?.isFile) found.push(imported);
    }
  }
  return found;
}
