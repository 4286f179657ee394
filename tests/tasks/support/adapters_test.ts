import assert from "node:assert/strict";
import { hintsFor } from "../../../tasks/support/adapters.ts";

const adapter = (name: string, software = true) => ({ name, software, limits: {}, features: [] });
const linux = { os: "linux", runtimeFolder: "/tmp", hasLibrary: true };

Deno.test("a software adapter, a missing driver, library or XDG_RUNTIME_DIR each give one hint", () => {
  assert.match(hintsFor([adapter("llvmpipe (LLVM 15.0.6, 256 bits)")], linux).join(), /^The software adapter.*Mesa 25/);
  assert.match(hintsFor([], linux).join(), /^No WebGPU adapter was found: install a Vulkan driver/);
  assert.match(hintsFor([], { ...linux, os: "darwin" }).join(), /^No WebGPU adapter was found: update the driver/);
  const unset = { ...linux, runtimeFolder: undefined };
  assert.match(hintsFor([adapter("a GPU", false)], unset).join(), /^XDG_RUNTIME_DIR is not set/);
  const bare = { ...linux, hasLibrary: false };
  assert.match(
    hintsFor([adapter("a software one")], bare).join(),
    /^Matrix products on the cpu are .*libopenblas0-pthread/,
  );
  assert.deepEqual(hintsFor([adapter("a GPU", false)], bare), []);
});

Deno.test("where all is well there are none", () => {
  assert.deepEqual(hintsFor([adapter("a GPU", false)], linux), []);
  assert.deepEqual(hintsFor([adapter("a GPU", false)], { ...linux, os: "windows", runtimeFolder: undefined }), []);
});
