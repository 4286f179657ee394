import assert from "node:assert/strict";
import { join } from "node:path";
import { NetworkFailure } from "../../../core/data/download.ts";
import { DeviceError, TensorTooLarge, UserError } from "../../../core/errors.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { asRecipeMistake, RecipeMistake, tellMistakes } from "../../../tasks/queue/recipe_mistake.ts";
import { tinyRecipe } from "../../support/tiny_run.ts";

const ROOT = join("/worker", "inputs", "0123");

/** The recipe as a worker has it, and as its sender has it. */
const recipeIn = (file: string, base: string) =>
  parseChecked(tinyRecipe, file, recipeSchema, { overrides: [{ path: ["base"], value: base, label: "worker" }] });
const there = recipeIn("/worker/work/run-1/recipe.yaml", "../../inputs/0123/.base");
const here = recipeIn("/home/grid/tiny.yaml", ".");

const tried = { recipe: there, backend: "auto", root: ROOT } as const;

/** An error at a key of the recipe, told of something that went wrong. */
function told(cause: unknown, sentence = "Cannot read it"): unknown {
  const body = () => {
    throw new UserError(sentence, { cause });
  };
  try {
    return there.within(["dataset", "train"], body);
  } catch (error) {
    return asRecipeMistake(error, tried);
  }
}

Deno.test("a mistake of a recipe is told by its place in the sender's, and by the sender's files", () => {
  const sentence = `Cannot read "${ROOT}/.base/train" as "${ROOT}/above/x y" is "${ROOT}/.base", not /elsewhere/z`;
  const mistake = told(undefined, sentence);
  assert.ok(mistake instanceof RecipeMistake);
  // As the worker's own user may want to look at it.
  assert.equal(mistake.message, `/worker/work/run-1/recipe.yaml:7:10: ${sentence}`);
  assert.doesNotMatch(JSON.stringify(mistake.mistakes), /worker/);
  assert.equal(
    tellMistakes(here, mistake.mistakes),
    '/home/grid/tiny.yaml:7:10: Cannot read "/home/grid/train" as "/home/above/x y" is "/home/grid", not /elsewhere/z',
  );
});

Deno.test("a mistake in another file than the recipe is told in its own words", () => {
  const mistake = (() => {
    try {
      return parseChecked("student: 3", join(ROOT, ".base", "config.json"), recipeSchema);
    } catch (error) {
      return asRecipeMistake(error, tried);
    }
  })();
  assert.ok(mistake instanceof RecipeMistake);
  assert.match(tellMistakes(here, mistake.mistakes), /^\/home\/grid\/config\.json:1:\d+: \S/);
});

Deno.test("what need not be so on another machine, or in an hour, is no mistake of the recipe", () => {
  const failure = (words: string, kind: ErrorConstructor | typeof Deno.errors.NotFound = Error) => new kind(words);
  const ofPlace: [string, unknown][] = [
    ["a full disk", Object.assign(failure("No space left on device (os error 28)"), { code: "ENOSPC" })],
    ["a file that may not be read", failure("Permission denied (os error 13)", Deno.errors.PermissionDenied)],
    ["the network", new NetworkFailure("503")],
    ["a device", new DeviceError("The GPU was lost")],
    ["the size of tensors", new TensorTooLarge({ mostNumbers: 1, description: "a GPU" }, [2])],
    ["memory", failure("Array buffer allocation failed", RangeError)],
    ["a package", failure("Failed caching npm package 'x'")],
    ["behind another", failure("x", Error)],
  ];
  (ofPlace.at(-1)![1] as Error).cause = new NetworkFailure("503");
  for (const [what, cause] of ofPlace) assert.ok(!(told(cause) instanceof RecipeMistake), what);
  const ofRecipe = [undefined, failure("No such file (os error 2)", Deno.errors.NotFound), failure("x is undefined")];
  for (const cause of ofRecipe) assert.ok(told(cause) instanceof RecipeMistake, String(cause));
  // Without a place in the recipe nothing says that it is to blame.
  const other = new UserError("Cannot use --backend webgpu as no WebGPU adapter was found");
  assert.equal(asRecipeMistake(other, tried), other);
});
