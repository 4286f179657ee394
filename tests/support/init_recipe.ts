import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { nobody } from "../../tasks/init/asking.ts";
import { type InitFlags, makeRecipe } from "../../tasks/init/make.ts";

/** Runs a test in a folder with some files. */
export async function inFolder(
  files: Readonly<Record<string, string>>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(join(folder, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(folder, name), text);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The recipe that `init` makes of flags, and the rows that it tells. */
export async function recipeText(folder: string, flags: Omit<InitFlags, "out">, asking = nobody): Promise<string> {
  const told: string[] = [];
  const tell = (about: string, text: string) => told.push(`${about} ${text}`);
  const { text } = await makeRecipe({ ...flags, out: join(folder, "made.yaml") }, asking, tell);
  return [...told, text].join("\n");
}

/** What refuses flags. */
export async function refusal(folder: string, flags: Omit<InitFlags, "out">, out = "recipe.yaml"): Promise<string> {
  const error = await makeRecipe({ ...flags, out: join(folder, out) }, nobody, () => {}).then(
    () => null,
    (error) => error,
  );
  assert.ok(error instanceof UserError, `${JSON.stringify(flags)}: ${error}`);
  return error.message.replaceAll(`${folder}/`, "");
}
