import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CHECKOUT, runDeno } from "../../../../support/task.ts";

/** Multiplies matrices of ones on three threads, and ends by itself. */
const program = (core: string) => `
import { createMemory } from "${core}/load.ts";
import { loadThreadedKernels } from "${core}/threads.ts";
const size = 64;
const memory = createMemory(1 << 20);
const kernels = await loadThreadedKernels(memory, 3);
const [a, b, c, scratch] = [0, 1, 2, 3].map((matrix) => matrix * size * size * 4);
new Float32Array(memory.buffer, 0, 2 * size * size).fill(1);
kernels.gemm(size, size, size, a, size, false, b, size, false, c, size, false, scratch);
const product = new Float32Array(memory.buffer, c, size * size);
console.log(kernels.threads, product.every((value) => value === size));
await kernels.close();
`;

const hasNode = await new Deno.Command("node", { args: ["--version"], stdout: "null", stderr: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "the cpu backend's kernels run on three threads under Node.js, which ends when they are closed",
  ignore: !hasNode && Deno.env.get("CI") !== "true",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const [entry, bundle] = ["entry.ts", "bundle.mjs"].map((name) => join(folder, name));
      await Deno.writeTextFile(entry, program(pathToFileURL(join(CHECKOUT, "core/backend/cpu/wasm")).href));
      const made = await runDeno(["bundle", "--no-config", "--platform", "browser", "--quiet", "-o", bundle, entry]);
      assert.equal(made.code, 0, made.stderr);
      assert.doesNotMatch(await Deno.readTextFile(bundle), /^import .*"node:/m);
      const output = await new Deno.Command("node", { args: [bundle] }).output();
      const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert.deepEqual([output.code, stdout, stderr], [0, "3 true\n", ""]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
