import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../core/errors.ts";

/** The place of this file beneath the checkout: a bundle is one file of another name. */
const OWN_PATH = "tasks/support/checkout.ts";

/**
 * The folder of the checkout that runs, or the same folder inside a compiled program; `null` in a bundle, which carries
 * no files but itself.
 */
export const CHECKOUT: string | null = import.meta.url.endsWith(`/${OWN_PATH}`)
  ? fileURLToPath(import.meta.url.slice(0, -OWN_PATH.length))
  : null;

/**
 * The recipe that is run when none is named, as a path from the working directory.
 *
 * @param name the file's name in `tasks/recipes/`
 * @throws UserError in a bundle
 */
export function shippedRecipe(name: string): string {
  if (CHECKOUT === null) {
    throw new UserError("Cannot find the default recipe as this program was bundled without it: name a recipe");
  }
  const path = join(CHECKOUT, "tasks", "recipes", name);
  const fromHere = relative(Deno.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}

/**
 * The folder of the sources, for what is made from them.
 *
 * @param action what needs it, to follow "Cannot"
 * @throws UserError in a bundle or a compiled program
 */
export function sources(action: string): string {
  if (CHECKOUT === null || Deno.build.standalone) {
    throw new UserError(`Cannot ${action} from a bundled or compiled program: run the task in a checkout`);
  }
  return CHECKOUT;
}
