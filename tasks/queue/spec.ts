import { z } from "zod";
import { UserError } from "../../core/errors.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { stringifyRecipe } from "../../core/recipe/write_recipe.ts";
import { sha256 } from "../../core/sha256.ts";
import { VERSION } from "../../core/version.ts";
import { content } from "../experiment/run_folder.ts";
import { type Manifest, manifestSchema } from "./manifest.ts";
import { Refused } from "./refused.ts";
import { keepBlob, readBlob, type Store } from "./store.ts";

const specSchema = z.strictObject({
  version: z.string(),
  /** For people. */
  title: z.string(),
  /** YAML, all defaults filled in. */
  recipe: z.string(),
  /** SHA-256 of the manifest. */
  manifest: z.string(),
});

/** A run that any machine can do: what the store keeps of it. */
export type Spec = z.output<typeof specSchema>;

const specKey = (id: string) => `runs/${id}/run.json`;

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/**
 * A run's id: of its recipe, of all files that it reads, and of the program's version. Two runs of one id are the same
 * run, whoever asks for it, and wherever it writes.
 */
export async function idOf(recipe: Checked<Recipe>, { above: _above, ...files }: Manifest): Promise<string> {
  const what = [VERSION, content(recipe.value), files.files, files.elsewhere];
  return `run-${(await sha256(bytesOf(what))).slice(0, 40)}`;
}

/** Keeps what a worker needs to do a run, unless it is there. */
export async function keepSpec(
  store: Store,
  id: string,
  title: string,
  recipe: Checked<Recipe>,
  manifest: Manifest,
): Promise<void> {
  if (await store.has(specKey(id))) return;
  const hash = await keepBlob(store, bytesOf(manifest));
  const text = stringifyRecipe({ ...recipe.value, base: ".", output: "run" });
  const spec: Spec = { version: VERSION, title, recipe: text, manifest: hash };
  await store.write(specKey(id), bytesOf(spec));
}

/**
 * Reads what a worker needs to do a run.
 *
 * @throws Refused if the store does not have it: another worker's may
 * @throws UserError if it is damaged
 */
export async function readSpec(store: Store, id: string): Promise<Spec> {
  const bytes = await store.read(specKey(id));
  if (bytes !== null) return parsed(store, specKey(id), bytes, specSchema);
  throw notIn(store, "run");
}

/** What was sent stands in another store than a worker's. */
export function notIn(store: Store, what: "run" | "choice"): Refused {
  return new Refused(
    `the store ${store.name} does not have the ${what}: name with --store the one that was sent to, of compare, sweep or ` +
      "tune",
  );
}

/** Reads which files a run reads. */
export async function readManifest(store: Store, { manifest }: Spec): Promise<Manifest> {
  return parsed(store, manifest, await readBlob(store, manifest, "the list of inputs"), manifestSchema);
}

/** What JSON in a store says. @throws UserError if it is damaged */
export function parsed<Value>(
  store: Store,
  key: string,
  bytes: Uint8Array<ArrayBuffer>,
  schema: z.ZodType<Value>,
): Value {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    value = null; // which the schema refuses
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  throw new UserError(`Cannot use ${key} of the store ${store.name} as it is damaged: remove it, and it is made anew`);
}
