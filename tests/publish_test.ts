import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { relative } from "node:path";
import { CHECKOUT, runDeno } from "./support/task.ts";

const fromCheckout = (url: string) => relative(CHECKOUT, fileURLToPath(url)).replaceAll("\\", "/");

Deno.test("the package passes JSR's checks, and holds what mod.ts imports and nothing that only developers need", async () => {
  // Without --allow-slow-types: every type that users see is written down. It asks for no network.
  const { code, stdout, stderr } = await runDeno(["publish", "--dry-run", "--allow-dirty"]);
  assert.equal(code, 0, stderr);
  const packed = Array.from((stdout + stderr).matchAll(/^ +(file:\/\/\S+) \(/gm), ([, url]) => fromCheckout(url));
  assert.ok(packed.length > 300, `${packed.length} files were found`);
  assert.deepEqual(packed.filter((path) => !/^(core|plugins|shaders)\/|^[^/]+$/.test(path)), []);
  assert.deepEqual(
    packed.filter((path) => /(^|\/)(tests|assembly|fashion-mnist|phrases-bert)\/|_test\./.test(path)),
    [],
  );

  const graph = await runDeno(["info", "--json", "mod.ts"]);
  assert.equal(graph.code, 0, graph.stderr);
  const { modules } = JSON.parse(graph.stdout) as { modules: { specifier: string }[] };
  const own = modules.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith("file:"));
  assert.ok(own.length > 200, `${own.length} modules were found`);
  assert.deepEqual(own.map(fromCheckout).filter((path) => !path.startsWith("..") && !packed.includes(path)), []);
  for (const path of ["mod.ts", "README.md", "LICENSE", "deno.json"]) assert.ok(packed.includes(path), path);
});
