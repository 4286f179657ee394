import assert from "node:assert/strict";
import { join } from "node:path";
import { resolvePlugins } from "../../../core/distill/resolve_plugins.ts";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { builtins } from "../../../plugins/builtins.ts";
import { outcomeIn } from "../../../tasks/experiment/run_folder.ts";
import { describeChangedStudent } from "../../../tasks/support/own_student.ts";
import { studentBytes } from "../../support/run_observers.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../../support/tiny_run.ts";

Deno.test("a student with a bit that turned is told, its run is not done, and goes on to the same one", () =>
  withTinyData(async (folder) => {
    const overrides = ["train.epochs=1", "backend=cpu"];
    await tinyRun(folder, { overrides });
    const recipe = parseChecked(tinyRecipe, join(folder, "tiny.yaml"), recipeSchema, {
      overrides: [...overrides, `output=${join(folder, "run")}`],
    });
    await resolvePlugins(recipe, builtins);
    const student = join(folder, "run", "student");
    assert.equal(await describeChangedStudent(student), null);
    assert.equal(await describeChangedStudent(folder), null);
    assert.ok(await outcomeIn(recipe));
    const before = await studentBytes(folder, "run");
    const file = join(student, "model.safetensors");
    const bytes = await Deno.readFile(file);
    bytes[bytes.length - 1] ^= 1;
    await Deno.writeFile(file, bytes);
    assert.match(
      (await describeChangedStudent(student))!,
      /^Warning: the weights in .* are not those that its run has written/,
    );
    assert.equal(await outcomeIn(recipe), null);
    await tinyRun(folder, { overrides, resume: true });
    assert.deepEqual(await studentBytes(folder, "run"), before);
    assert.equal(await describeChangedStudent(student), null);
    await Deno.remove(file);
    assert.ok(await outcomeIn(recipe), "who has thrown the student away still has what was measured");
  }));
