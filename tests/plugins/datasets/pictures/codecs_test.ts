import assert from "node:assert/strict";
import { buildCodecs, GENERATED } from "../../../../tasks/build_codecs.ts";
import { buildDecoder, GENERATED as DECODER } from "../../../../tasks/build_decoder.ts";

Deno.test("the picture decoders that are checked in are those of their packages", async () => {
  assert.ok(await Deno.readTextFile(GENERATED) === await buildCodecs(), "run tasks/build_codecs.ts");
});

Deno.test("the program of a thread that decodes is what its sources make", async () => {
  assert.ok(await Deno.readTextFile(DECODER) === await buildDecoder(), "run tasks/build_decoder.ts");
});
