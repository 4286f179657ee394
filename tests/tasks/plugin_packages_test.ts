import assert from "node:assert/strict";
import { join } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { CHECKOUT, runDeno, taskArguments } from "../support/task.ts";
import { tinyRecipe, withTinyData } from "../support/tiny_run.ts";

/** A loss in a file that imports a package. */
const lossWith = (specifier: string) => `
import * as imported from "${specifier}";
/** Mean of the squared logits. */
export default {
  kind: "loss", name: "mine", description: Object.keys(imported).join(), source: "none",
  options: ({ z }) => z.strictObject({}),
  create: () => ({
    teacherOutputs: [],
    compute: ({ ops, student: { logits } }) => ops.mean(ops.multiply(logits, logits)),
  }),
};
`;

/** Trains with a loss that imports a package, and sees that the lock file stays as it is. */
async function train(specifier: string, args: readonly string[], env: Record<string, string> = {}) {
  let ended;
  await withTinyData(async (folder) => {
    await Deno.writeTextFile(join(folder, "mine.ts"), lossWith(specifier));
    const recipe = tinyRecipe.replace(
      "{ use: cross-entropy }",
      "{ use: cross-entropy }, { use: ./mine.ts, weight: 0.01 }",
    );
    await Deno.writeTextFile(join(folder, "tiny.yaml"), recipe);
    const lock = join(CHECKOUT, "deno.lock");
    const before = await Deno.readTextFile(lock);
    const flags = ["--backend", "cpu", "--quiet", "--set", "train.epochs=1", "--out", join(folder, "run")];
    ended = await runDeno([...args, join(folder, "tiny.yaml"), ...flags], env);
    const after = await Deno.readTextFile(lock);
    if (after !== before) await Deno.writeTextFile(lock, before);
    assert.equal(after, before, "deno.lock");
  });
  return ended!;
}

/** A package that is in every cache, under a specifier that is not in deno.lock. */
const unlisted = configuration.imports.munkres.replace(/@(?=\d)/, "@~");

Deno.test("a plug-in that imports a package runs, and the tracked deno.lock stays as it is", async () => {
  const { code, stderr } = await train(unlisted, taskArguments("train"));
  assert.deepEqual([code, stderr], [0, ""]);
});

Deno.test("without --no-lock it is refused in a sentence, and deno.lock stays as it is", async () => {
  const { code, stderr } = await train(unlisted, taskArguments("train").filter((part) => part !== "--no-lock"));
  assert.equal(code, 2);
  // What is on a new machine is fetched, and told, before.
  assert.match(
    stderr.trim().split("\n").at(-1)!,
    /^.*tiny\.yaml:\d+:\d+: Cannot load the loss plug-in "\.\/mine\.ts": it imports a package that deno\.lock does not list, and no plug-in may change that file: start the program with "deno run --no-lock", as the tasks of deno\.json do$/,
  );
});

Deno.test("a package that is neither in the cache nor to be had without a network is named with what helps", async () => {
  // Nothing listens there, so that it is as without a network.
  const { code, stderr } = await train("npm:munkres@1.2.4", taskArguments("train"), {
    HTTPS_PROXY: "http://127.0.0.1:9",
  });
  assert.equal(code, 2);
  const last = stderr.trim().split("\n").at(-1)!;
  assert.match(
    last,
    /tiny\.yaml:\d+:\d+: Cannot load the loss plug-in "\.\/mine\.ts": it imports npm:munkres, which is not in Deno's cache and cannot be fetched: run it once with a network, and the cache keeps it$/,
  );
});
