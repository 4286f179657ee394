import assert from "node:assert/strict";
import { importPackage } from "../../../core/plugin/import_package.ts";
import configuration from "../../../deno.json" with { type: "json" };

Deno.test("a package is imported by its address, and what Deno says of others is handed on", async () => {
  const { z } = await importPackage(configuration.imports.zod) as { z: { string(): unknown } };
  assert.equal(typeof z.string, "function");
  await assert.rejects(importPackage("./nowhere.ts"), { message: /^Module not found/ });
});
