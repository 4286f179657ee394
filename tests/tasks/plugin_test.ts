import assert from "node:assert/strict";
import { join } from "node:path";
import type { PluginKind } from "../../core/plugin/registry.ts";
import { runHere } from "../support/run_here.ts";
import { CHECKOUT, runDeno, runTask } from "../support/task.ts";
import { tinyRecipe, tinyRun, withTinyData } from "../support/tiny_run.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const kind of ["loss", "model", "dataset"] satisfies PluginKind[]) {
  Deno.test(`plugin new writes a ${kind} that is formatted, keeps the contract and whose test passes`, () =>
    withFolder(async (folder) => {
      const made = await (kind === "loss" ? runTask : runHere)("plugin", [
        "new",
        kind,
        "my-own",
        "--folder",
        join(folder, "new"),
      ]);
      assert.equal(made.code, 0, made.stderr);
      const file = join(folder, "new", "my_own.ts");
      assert.ok(made.stdout.includes(`written   ${file}\n`), made.stdout);
      assert.doesNotMatch(await Deno.readTextFile(file), /^import (?!type)/m);

      const format = await runDeno(["fmt", "--config", join(CHECKOUT, "deno.json"), "--check", join(folder, "new")]);
      assert.equal(format.code, 0, format.stderr);
      const checked = await (kind === "loss" ? runTask : runHere)("plugin", ["check", file]);
      assert.deepEqual([checked.code, checked.stderr], [0, ""]);
      assert.ok(checked.stdout.split("\n").length > 8 && !checked.stdout.includes("failed"), checked.stdout);
      if (kind !== "loss") return;
      // Types as well, as a user would run it; Deno needs no permission for it.
      const tested = await runDeno(["test", "--no-prompt", join(folder, "new", "my_own_test.ts")]);
      assert.equal(tested.code, 0, tested.stdout + tested.stderr);
      assert.match(tested.stdout, /2 passed/);
    }));
}

Deno.test("plug-ins that plugin new writes are trained with", () =>
  withTinyData(async (folder) => {
    for (const kind of ["loss", "model", "dataset"]) {
      const { code, stderr } = await runHere("plugin", ["new", kind, `my-${kind}`, "--folder", folder]);
      assert.equal(code, 0, stderr);
    }
    const text = tinyRecipe
      .replace(/use: idx[^]*?student:/, "use: ./my_dataset.ts\n  train: 96\nstudent:")
      .replace(/use: resnet\n {2}depth: 8\n {2}width: 4/, "use: ./my_model.ts\n  hidden: 16")
      .replace("layer*.conv*.weight", "fc*.weight");
    const { student } = await tinyRun(folder, { text });
    assert.ok(student.accuracy! > 0.8, `${student.accuracy}`);
  }));

Deno.test("plugin new refuses what cannot be, and overwrites nothing", () =>
  withFolder(async (folder) => {
    const refused = async (args: string[], message: RegExp) => {
      const { code, stderr } = await runHere("plugin", ["new", ...args, "--folder", folder]);
      assert.equal(code, 2, stderr);
      assert.match(stderr.trimEnd(), message);
    };
    await refused(["los", "mine"], /^Unknown kind of plug-in "los": did you mean "loss"\?$/);
    await refused(
      ["loss", "../mine"],
      /^Cannot name a plug-in "\.\.\/mine": expected small letters, .* as in my-loss$/,
    );
    await refused(["loss", "kd"], /^Cannot name a plug-in "kd": a built-in one has that name$/);
    await Deno.writeTextFile(join(folder, "mine_test.ts"), "// mine");
    await refused(["loss", "mine"], /^Cannot write ".*mine_test\.ts" as it is there already: choose another/);
    assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["mine_test.ts"]);
  }));

Deno.test("plugin check takes options, says what failed and ends with exit code 2", () =>
  withFolder(async (folder) => {
    const file = join(folder, "bad.js");
    await Deno.writeTextFile(
      file,
      `/** Bad. */
export default { kind: "loss", name: "bad", description: "Bad", options: ({ z }) => z.strictObject({
  factor: z.number().describe("Factor") }),
  create: ({ factor }) => ({ teacherOutputs: [], compute: ({ ops, student }) => ops.scale(student.logits, factor) }) };`,
    );
    const bare = await runHere("plugin", ["check", file]);
    assert.equal(bare.code, 2);
    assert.match(bare.stdout, /^failed {3}options are taken, defaults filled in: factor: /m);
    assert.match(bare.stderr, /^The loss "bad" fails 1 check\n$/);
    const yaml = join(folder, "options.yaml");
    await Deno.writeTextFile(yaml, "factor: 2\n");
    for (const options of ["{ factor: 2 }", yaml]) {
      const { code, stdout, stderr } = await runHere("plugin", ["check", file, "--options", options]);
      assert.equal(code, 2);
      assert.match(stdout, /^ok {7}options are taken, defaults filled in$/m);
      assert.match(stdout, /^failed {3}gives a finite scalar of shape \[\]: .* got a tensor of shape \[4, 4\]$/m);
      assert.match(stderr, /^The loss "bad" fails \d+ checks\n$/);
    }
    const sized = await runHere("plugin", ["check", file, "--image-size", "64x"]);
    assert.equal(sized.code, 2);
    assert.equal(sized.stderr, 'Cannot take "64x" as --image-size: expected a side from 1 to 512, or 64x48\n');
    const missing = await runHere("plugin", ["check", join(folder, "none.ts")]);
    assert.deepEqual([missing.code, missing.stdout], [2, ""]);
    assert.match(missing.stderr, /^Cannot read the plug-in ".*none\.ts" as there is no such file or folder\n$/);
  }));

Deno.test("without an adapter checks on webgpu are skipped with a line, and fail under CI", async () => {
  const none = { DENO_WEBGPU_BACKEND: Deno.build.os === "darwin" ? "dx12" : "metal" };
  const line = "same value and gradient on webgpu as in float64: no WebGPU adapter was found";
  const skipped = await runTask("plugin", ["check", "kd"], { ...none, CI: "false" });
  assert.equal(skipped.code, 0, skipped.stderr);
  assert.ok(skipped.stdout.includes(`skipped  ${line}\n`), skipped.stdout);
  const failed = await runTask("plugin", ["check", "kd"], { ...none, CI: "true" });
  assert.equal(failed.code, 2);
  assert.ok(failed.stdout.includes(`failed   ${line}\n`), failed.stdout);
});
