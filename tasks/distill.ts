import type { Command } from "commander";
import { readText } from "./experiment/read_experiment.ts";
import { isStages, stagesFrom } from "./stages/read_stages.ts";
import { runStages } from "./stages/run_stages.ts";
import { shippedRecipe } from "./support/checkout.ts";
import { addRunFlags, type RunFlags } from "./support/flags.ts";
import { runRecipe } from "./support/run_recipe.ts";

/** Adds the verb `distill`: trains a student with a teacher by a recipe, or several in stages. */
export function addDistill(program: Command): void {
  addRunFlags(
    program.command("distill").description("train a student with a teacher, merge it, verify it and save it")
      .argument("[recipe]", "recipe, or a file of stages (default: tasks/recipes/quickstart.yaml)"),
  ).action(async (given: string | undefined, flags: RunFlags) => {
    const file = given ?? shippedRecipe("quickstart.yaml");
    const text = await readText(file);
    if (isStages(text)) return await runStages(await stagesFrom(file, text), flags);
    await runRecipe(file, flags, (recipe) => {
      if (recipe.value.teacher === null) {
        throw recipe.error(["teacher"], "Cannot distil without a teacher: name one, or use train for a student alone");
      }
    });
  });
}
