import assert from "node:assert/strict";
import { join } from "node:path";
import { runHere } from "./support/run_here.ts";
import { CHECKOUT, runDeno } from "./support/task.ts";

/** The TypeScript of README.md, block by block. */
async function examples(): Promise<string[]> {
  const text = await Deno.readTextFile(join(CHECKOUT, "README.md"));
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
}

Deno.test("the README's example of a run driven step by step runs, and leaves a verified student", async () => {
  const code = (await examples()).find((code) => code.includes("run.step()"));
  assert.ok(code, "it is there");
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "example.ts");
    const own = code.replace(`"./mod.ts"`, JSON.stringify(new URL("../mod.ts", import.meta.url).href))
      .replace("output=runs/steps", `output=${join(folder, "run")}`).replace(`"auto"`, `"cpu"`);
    await Deno.writeTextFile(file, own);
    const permissions = ["--no-prompt", "--allow-read", "--allow-write"];
    // Its types are checked with all examples: `deno check --doc-only`.
    const { code: exit, stdout, stderr } = await runDeno([
      "run",
      "--config",
      join(CHECKOUT, "deno.json"),
      ...permissions,
      file,
    ]);
    assert.equal(exit, 0, stderr);
    assert.match(stdout, /^20 steps: accuracy 0\.\d{4}, loss \d\.\d{4}\n$/);
    await Deno.stat(join(folder, "run", "student", "model.safetensors"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the README's recipe runs on the shipped images with the shipped teacher", async () => {
  const text = await Deno.readTextFile(join(CHECKOUT, "README.md"));
  const recipe = /^```yaml\n(name: mine\n[\s\S]*?)^```$/m.exec(text)![1];
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "mine.yaml");
    const own = recipe.replace("path/to/fashion-mnist", join(CHECKOUT, "plugins/datasets/data/fashion-mnist"))
      .replace("path/to/teacher", join(CHECKOUT, "plugins/models/data/fashion-resnet20"));
    await Deno.writeTextFile(file, own);
    const small = ["--set", "dataset.takeTrain=256", "--set", "dataset.takeTest=32"];
    const args = [file, "--backend", "cpu", "--out", join(folder, "run"), "--dry-run", ...small];
    const { code, stdout, stderr } = await runHere("distill", args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^dry run of mine: no run was written$/m);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
