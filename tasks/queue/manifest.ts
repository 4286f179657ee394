import { dirname, extname, isAbsolute, join, relative } from "node:path";
import { z } from "zod";
import { isUrl } from "../../core/data/remote_file.ts";
import { UserError } from "../../core/errors.ts";
import { readUserFile } from "../../core/files.ts";
import { isPluginFile } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { isMap } from "../../core/recipe/paths.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { sha256 } from "../../core/sha256.ts";
import { filesWithin, pluginModules, weightFiles } from "../experiment/inputs.ts";

const hashes = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/));

/** The files that runs read, as the store has them. */
export const manifestSchema = z.strictObject({
  /** How far above the recipe's base some of them stand: folders. */
  above: z.int().min(0).max(64),
  /** SHA-256 of each by its path from there, with `/` between the parts. */
  files: hashes,
  /** Those that a recipe names absolutely: each machine must have them, with this content. */
  elsewhere: hashes,
});

/** The files that runs read. */
export type Manifest = z.output<typeof manifestSchema>;

/** Keys of a recipe whose values are no names of inputs. */
const OTHER_KEYS = new Set(["cache", "from", "integrity", "classes"]);

/** Files beside a model's weights that say how it is used: tokenizer, classes, sizes of its pictures. */
const BESIDE = new Set([".json", ".txt", ".model"]);

/** Finds the files that recipes name. Each is read and hashed once, however many name it. */
export class Manifests {
  readonly #known = new Map<string, Promise<string>>();
  readonly #sent = new Map<string, Promise<void>>();

  /** @param keep is given each file once, to be kept by its hash */
  constructor(private readonly keep: (path: string, hash: string) => Promise<void>) {}

  /**
   * What a run reads: files and folders that its recipe names, those beside weights, what plug-ins import.
   *
   * @param recipe with the options of its plug-ins filled in
   */
  async of(recipe: Checked<Recipe>): Promise<Manifest> {
    const base = resolveFile(recipe, ".");
    const found: Found[] = [];
    for (const { name, key } of namedIn(recipe.value)) {
      if (key === "use" && !isPluginFile(name)) continue;
      for (const path of await filesOf(resolveFile(recipe, name), key)) {
        found.push({ path, way: isAbsolute(name) ? null : relative(base, path).replaceAll("\\", "/") });
      }
    }
    found.sort((a, b) => a.path < b.path ? -1 : Number(a.path > b.path));
    const above = Math.max(0, ...found.map(({ way }) => way === null ? 0 : ups(way)));
    const files: Record<string, string> = {}, elsewhere: Record<string, string> = {};
    for (const { path, way } of found) {
      const hash = await this.#hashOf(path, way !== null);
      const [list, name] = way === null
        ? [elsewhere, path]
        : [files, join(baseIn({ above }), way).replaceAll("\\", "/")];
      if ((list[name] ?? hash) !== hash) {
        throw recipe.error(["base"], `Cannot send "${path}" to workers as "${name}" is another file there: rename it`);
      }
      list[name] = hash;
    }
    return { above, files, elsewhere };
  }

  async #hashOf(path: string, sent: boolean): Promise<string> {
    const hash = this.#known.get(path) ?? readUserFile(path, "the input").then(sha256);
    this.#known.set(path, hash);
    if (sent && !this.#sent.has(path)) this.#sent.set(path, hash.then((hash) => this.keep(path, hash)));
    await this.#sent.get(path);
    return await hash;
  }
}

/** A file that a recipe names. */
interface Found {
  readonly path: string;
  /** Its path from the recipe's base; `null` where it is named absolutely. */
  readonly way: string | null;
}

/** Where the recipe's base is in the folder that a manifest is laid out in. */
export function baseIn({ above }: Pick<Manifest, "above">): string {
  return join(".", ...Array.from({ length: above }, () => ".base"));
}

/** How many folders a path leads up before it leads down. */
const ups = (path: string) => path.split("/").findIndex((part) => part !== "..");

/** Texts of the parts of a recipe that may name files, each with the key that it stands under. */
function* namedIn(recipe: Recipe): Generator<{ readonly name: string; readonly key: string }> {
  const { dataset, teacher, student, losses } = recipe;
  function* walk(value: unknown, key: string): Generator<{ readonly name: string; readonly key: string }> {
    if (typeof value === "string") {
      if (!OTHER_KEYS.has(key) && !isUrl(value) && !/^\.*[\\/]*$/.test(value)) yield { name: value, key };
    } else if (Array.isArray(value)) {
      for (const item of value) yield* walk(item, key);
    } else if (isMap(value)) {
      for (const [inner, part] of Object.entries(value)) yield* walk(part, inner);
    }
  }
  for (const part of [dataset, teacher, student, losses]) yield* walk(part, "");
}

const infoOf = (path: string) => Deno.stat(path).catch(() => null);

/** The files that a name stands for; none if it names none. */
async function filesOf(path: string, key: string): Promise<string[]> {
  const info = await infoOf(path);
  if (!info) return [];
  if (info.isDirectory) return await filesWithin(path);
  if (key === "use") return await pluginModules(path);
  if (key !== "weights") return [path];
  const beside: string[] = [];
  for await (const { name, isFile } of Deno.readDir(dirname(path))) {
    if (isFile && BESIDE.has(extname(name))) beside.push(join(dirname(path), name));
  }
  return [...new Set([...await weightFiles(path), ...beside])];
}

/** Refuses paths that would lead out of the folder that a manifest is laid out in. */
export function expectWithin({ files }: Manifest): void {
  for (const path of Object.keys(files)) {
    if (isAbsolute(path) || /^[a-z]:|\\/i.test(path) || path.split("/").some((part) => /^\.{0,2}$/.test(part))) {
      throw new UserError(`Cannot lay out "${path}" from the store: it leads out of the worker's folder`);
    }
  }
}
