import type { Command } from "commander";
import { shippedRecipe } from "./support/checkout.ts";
import { addRunFlags, type RunFlags } from "./support/flags.ts";
import { runRecipe } from "./support/run_recipe.ts";

/** Adds the verb `train`: trains a model alone, such as a teacher. */
export function addTrain(program: Command): void {
  addRunFlags(
    program.command("train").description("train a model without a teacher, merge it, verify it and save it")
      .argument("[recipe]", "recipe (default: tasks/recipes/quickstart-teacher.yaml)"),
  ).action((file: string | undefined, flags: RunFlags) =>
    runRecipe(file ?? shippedRecipe("quickstart-teacher.yaml"), flags, (recipe) => {
      if (recipe.value.teacher !== null) {
        throw recipe.error(
          ["teacher"],
          "Cannot train alone with a teacher: use distill, or set teacher to null",
          "key",
        );
      }
    })
  );
}
