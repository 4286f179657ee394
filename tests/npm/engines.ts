import assert from "node:assert/strict";
import { join } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { CHECKOUT, runDeno } from "../support/task.ts";

/** What engines of 2023 have of `using`. */
const DISPOSABLE = `
interface SymbolConstructor { readonly dispose: unique symbol; readonly asyncDispose: unique symbol }
interface Disposable { [Symbol.dispose](): void }
interface AsyncDisposable { [Symbol.asyncDispose](): PromiseLike<void> }
`;

/** What is younger, to see that it is found. */
const YOUNGER = "Promise.try(() => {});\nMap.groupBy([1], String);\nnew DisposableStack();\nFloat16Array;\n";

Deno.test("core and plug-ins use nothing that came into JavaScript after 2023, which Node.js 20 has not", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const lib = ["es2023", "dom", "dom.iterable", "dom.asynciterable"];
    const compilerOptions = { strict: true, lib, types: ["./disposable.d.ts"] };
    const { imports, unstable } = configuration;
    const entries = ["core/mod.ts", "plugins/mod.ts"].map((path) => `import "${join(CHECKOUT, path)}";\n`);
    const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
    await write("disposable.d.ts", DISPOSABLE);
    await write("deno.json", JSON.stringify({ compilerOptions, imports, unstable }));
    await write("program.ts", YOUNGER + entries.join(""));
    const flags = ["--no-lock", "--config", join(folder, "deno.json")];
    const { stderr } = await runDeno(["check", "--quiet", ...flags, join(folder, "program.ts")]);
    const found = Array.from(
      stderr.matchAll(/^ +at file:\/\/.*\/([^/]+):(\d+):\d+$/gm),
      ([, ...place]) => place.join(":"),
    );
    assert.deepEqual(found.sort(), ["program.ts:1", "program.ts:2", "program.ts:3", "program.ts:4"], stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
