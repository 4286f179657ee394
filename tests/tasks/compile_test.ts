import assert from "node:assert/strict";
import { join } from "node:path";
import { compileError } from "../../tasks/compile.ts";
import { CHECKOUT, runTask } from "../support/task.ts";

/**
 * Whether a listing of embedded files has a file. The listing is a tree that sums up a folder of which all is embedded
 * as `folder/*`.
 */
function lists(listing: string, path: string): boolean {
  const folders: string[] = [];
  const listed = listing.split("\n").flatMap((line) => {
    const entry = /^(?<indent>(?:│ | {2})*)[├└]─(?:─|┬) (?<name>\S+)/.exec(line)?.groups;
    if (!entry) return [];
    const depth = entry.indent.length / 2;
    folders.length = depth;
    folders.push(entry.name);
    return [folders.join("/")];
  });
  return listed.some((entry) => entry === path || entry.endsWith("/*") && path.startsWith(entry.slice(0, -1)));
}

Deno.test("the tree of embedded files is read rightly", () => {
  const listing = ["opdf", "├─┬ core (2KB)", "│ ├── a.ts (1KB)", "│ └── b/* (1KB)", "└── shaders/* (1KB)"].join("\n");
  for (const path of ["core/a.ts", "core/b/c/d.ts", "shaders/x.wgsl"]) assert.ok(lists(listing, path), path);
  for (const path of ["a.ts", "core/c.ts", "b/c.ts", "shader/x.wgsl"]) assert.ok(!lists(listing, path), path);
});

/** Files of a folder of the checkout, those in folders within it included. */
function filesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(join(CHECKOUT, folder))).flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

Deno.test("the compiled program holds its shaders, kernels, threads, recipes, data and weights", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // The runtime is a download that not every machine can make; Deno itself stands in for it here, as what is
    // embedded does not depend on it. Such a file holds the program, but does not run it.
    const { code, stdout, stderr } = await runTask("compile", ["--out", join(folder, "opdf")], {
      DENORT_BIN: Deno.execPath(),
    });
    assert.equal(code, 0, stderr);
    const embedded = [
      ...filesIn("shaders"),
      ...filesIn("tasks/recipes"),
      ...["datasets", "losses", "models"].flatMap((kind) => filesIn(`plugins/${kind}`)).filter((path) =>
        // Of these two a text is embedded that was made of them.
        !path.endsWith(".md") && !/\/(decoder|decoder_program)\.ts$/.test(path)
      ),
      "plugins/builtins.ts",
      "tasks/serve/answering.ts",
      "core/backend/cpu/wasm/kernels.generated.ts",
      "core/backend/cpu/wasm/worker.ts",
      "deno.json",
      "tasks/cli.ts",
    ];
    for (const path of embedded) assert.ok(lists(stdout, path), `${path} is embedded: ${stdout}`);
    assert.ok(
      !/@tensorflow|@jax-js|assemblyscript|onnxruntime/.test(stdout),
      "packages that the program does not import are left out",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("where the runtime cannot be had, one sentence says what to do", () => {
  const said = "Download https://example.org/denort.zip\nerror: Setting up base binary";
  assert.match(compileError(said).message, /^Cannot compile as Deno's runtime .* set DENORT_BIN to .*, or run from a /);
  assert.equal(compileError(said).name, "UserError");
  assert.equal(compileError("error: no space left").message, "deno compile failed: error: no space left");
});
