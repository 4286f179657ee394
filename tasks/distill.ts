import type { Command } from "commander";
import { shippedRecipe } from "./support/checkout.ts";
import { addRunFlags, type RunFlags } from "./support/flags.ts";
import { runRecipe } from "./support/run_recipe.ts";

/** Adds the verb `distill`: trains a student with a teacher by a recipe. */
export function addDistill(program: Command): void {
  addRunFlags(
    program.command("distill").description("train a student with a teacher, merge it, verify it and save it")
      .argument("[recipe]", "recipe (default: tasks/recipes/quickstart.yaml)"),
  ).action((file: string | undefined, flags: RunFlags) =>
    runRecipe(file ?? shippedRecipe("quickstart.yaml"), flags, (recipe) => {
      if (recipe.value.teacher === null) {
        throw recipe.error(["teacher"], "Cannot distil without a teacher: name one, or use train for a student alone");
      }
    })
  );
}
