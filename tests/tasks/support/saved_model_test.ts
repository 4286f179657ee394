import assert from "node:assert/strict";
import { join } from "node:path";
import "../../../core/deno/install.ts";
import { recipeNear } from "../../../tasks/support/saved_model.ts";

Deno.test("the recipe above a model is its run's by the run's id, and not because it is there", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const recipe = join(folder, "recipe.yaml");
    const near = async (name: string, run: string | null, text: string | null) => {
      const model = join(folder, name);
      await Deno.mkdir(model, { recursive: true });
      await Deno.writeTextFile(join(model, "config.json"), JSON.stringify(run === null ? {} : { run }));
      if (text !== null) await Deno.writeTextFile(recipe, text);
      return await recipeNear(model);
    };
    assert.equal(await near("student", "1f0c", null), null);
    assert.equal(await near("student", "1f0c", "# run 1f0c\nname: a\n"), recipe);
    assert.equal(await near("renamed", "1f0c", "# run 1f0c\nname: a\n"), recipe);
    assert.equal(await near("student", "1f0c", "# run 2e1d\nname: a\n"), null, "another run's");
    assert.equal(await near("student", "1f0c", "name: a\n"), null, "one that somebody wrote");
    assert.equal(await near("teacher", null, "# run 1f0c\nname: a\n"), null);
    assert.equal(await near("teacher", null, "name: a\n"), null);
    assert.equal(await near("student", null, "name: a\n"), recipe, "of a run that has no id yet");
    assert.equal(await recipeNear(folder), recipe, "the run's own folder");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
