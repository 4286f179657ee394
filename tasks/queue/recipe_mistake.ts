import { relative, resolve } from "node:path";
import { NoFloat16 } from "../../core/distill/training/precision.ts";
import { UserError } from "../../core/errors.ts";
import { type Checked, mistakesOf } from "../../core/recipe/checked.ts";
import { resolveFile } from "../../core/recipe/recipe.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { isOfPlace } from "../support/of_place.ts";
import { Refused } from "./refused.ts";

/** A mistake that a worker found in a run's recipe, as whoever sent the run is told of it. */
export interface SentMistake {
  /** Keys to the part of the recipe that is wrong; `null` for a mistake in another file. */
  readonly path: readonly (string | number)[] | null;
  /** Whether it is the part's key or its value. */
  readonly at: "key" | "value";
  /** What is wrong; a path of an input stands in it as `\u0002`, its way from the recipe's base, and `\u0003`. */
  readonly sentence: string;
}

/** A run cannot be done by any worker, as its recipe or what that names is wrong. */
export class RecipeMistake extends UserError {
  /** The error as the worker's own user is told it, and the mistakes as the sender's is. */
  constructor(error: UserError, readonly mistakes: readonly SentMistake[]) {
    super(error.message, { cause: error.cause });
  }
}

/** Where a run was tried. */
export interface Tried {
  /** As this worker has it. */
  readonly recipe: Checked<Recipe>;
  /** The backend that it was sent with. */
  readonly backend: Recipe["backend"];
  /** The folder that its inputs are laid out in. */
  readonly root: string;
}

/**
 * Tells a mistake of the recipe, which comes out wherever the run is tried, from one of this machine or this hour: a
 * disk, the network, a device; and from what this worker's backend does not have, and another's may.
 *
 * @param error what a run ended with
 * @returns the error to throw
 */
export function asRecipeMistake(error: unknown, { recipe, backend, root }: Tried): unknown {
  const located = mistakesOf(error);
  if (located === null) return error;
  const { cause } = error as UserError;
  const lacks = cause instanceof NoFloat16;
  if (lacks && backend !== "cpu") return new Refused(`its train.precision is f16, and ${cause.message}`);
  if (!lacks && isOfPlace(cause)) return error;
  const known = located.file === recipe.file && located.mistakes.length > 0
    ? located.mistakes
    : [{ path: null, at: "value" as const, sentence: (error as UserError).message }];
  const base = resolveFile(recipe, ".");
  const mistakes = known.map(({ sentence, ...place }) => ({ ...place, sentence: withWays(sentence, root, base) }));
  return new RecipeMistake(error as UserError, mistakes);
}

/** Mistakes as a local run would tell them: by their places in the sender's recipe, and its own files. */
export function tellMistakes(recipe: Checked<Recipe>, mistakes: readonly SentMistake[]): string {
  return mistakes.map(({ path, at, sentence }) => {
    // deno-lint-ignore no-control-regex
    const told = sentence.replaceAll(/\u0002([^\u0003]*)\u0003/g, (_, way) => resolveFile(recipe, way));
    return path === null ? told : recipe.error(path, told, at).message;
  }).join("\n");
}

/** Puts in the place of paths in a worker's folder of inputs their ways from the recipe's base. */
function withWays(sentence: string, root: string, base: string): string {
  const names = [...new Set([resolve(root), root])].map((path) => RegExp.escape(path)).join("|");
  return sentence.replaceAll(
    new RegExp(`(?:${names})((?:[\\\\/][^"'\\n]*)?)`, "g"),
    (_, rest: string) => `\u0002${relative(base, resolve(root) + rest).replaceAll("\\", "/")}\u0003`,
  );
}
