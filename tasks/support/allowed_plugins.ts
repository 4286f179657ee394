import { realpathSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import type { Builtins, PluginFile } from "../../core/plugin/registry.ts";
import { sha256 } from "../../core/sha256.ts";
import { builtins } from "../../plugins/builtins.ts";
import { CHECKOUT } from "./checkout.ts";
import { standardOutput } from "./output.ts";

/** The flag that {@link allowedPlugins} goes by. */
export interface PluginFlags {
  readonly allowPluginUrl?: boolean;
}

/** The plug-ins that a recipe may name: the built-in ones, files, and URLs if the user says so. */
export function allowedPlugins({ allowPluginUrl = false }: PluginFlags): Builtins {
  return { ...builtins, allowUrls: allowPluginUrl, beforeFile: nameStranger };
}

const named = new Set<string>();

/**
 * Tells on standard error, `--quiet` or not, of a plug-in's file that is neither in the project (the working directory
 * or the checkout) nor beside the recipe that names it: a recipe from elsewhere may name anything. Once for each file.
 * Where symbolic links lead is what counts.
 */
async function nameStranger({ kind, path, recipe }: PluginFile): Promise<void> {
  if (named.has(path)) return;
  const real = realPath(path);
  const homes = [Deno.cwd(), dirname(resolve(recipe)), ...(CHECKOUT === null ? [] : [CHECKOUT])];
  // A missing file is refused when it is loaded.
  if (real === null || homes.some((home) => isWithin(realPath(home), real))) return;
  const bytes = await Deno.stat(real).then(({ isFile }) => isFile ? Deno.readFile(real) : null).catch(() => null);
  if (bytes === null) return;
  named.add(path);
  standardOutput("stderr").line(
    `Running the ${kind} plug-in "${real}" (SHA-256 ${await sha256(bytes)}), which is outside of this project and of ` +
      "the recipe's folder",
  );
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function isWithin(folder: string | null, path: string): boolean {
  if (folder === null) return false;
  const way = relative(folder, path);
  return !isAbsolute(way) && way.split(/[\\/]/)[0] !== "..";
}
