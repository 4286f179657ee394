/**
 * Copies the WebAssembly of the picture decoders out of their packages, so that no place where the program runs needs
 * to find a file beside its code: a browser's bundle, a compiled program, Deno without permission to read its cache.
 *
 * `deno run --allow-read --allow-write=plugins/datasets/pictures tasks/build_codecs.ts` writes `codecs.generated.ts`.
 *
 * @module
 */

// What is not imported has no place to be found at.
import "@jsquash/jpeg/decode.js";
import "@jsquash/webp/decode.js";
import { gzipSync } from "fflate";

/** The file that holds the decoders. */
export const GENERATED = new URL("../plugins/datasets/pictures/codecs.generated.ts", import.meta.url);

/** Their packages, files in these, and what their sources ask to be said of them. */
const DECODERS = [
  {
    name: "JPEG_DECODER",
    from: "@jsquash/jpeg/decode.js",
    file: "./codec/dec/mozjpeg_dec.wasm",
    what:
      "mozjpeg's decoder (IJG and BSD licences; this software is based in part on the work of the Independent JPEG Group)",
  },
  {
    name: "WEBP_DECODER",
    from: "@jsquash/webp/decode.js",
    file: "./codec/dec/webp_dec.wasm",
    what: "libwebp's decoder (BSD licence, Copyright 2010 Google Inc.)",
  },
];

/** Characters of base64 on a line. */
const LINE = 112;

/** The text of `codecs.generated.ts`; the same packages give the same text on every machine. */
export async function buildCodecs(): Promise<string> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  const parts = await Promise.all(DECODERS.map(async ({ name, from, file, what }) => {
    const code = await Deno.readFile(new URL(file, import.meta.resolve(from)));
    const lines = gzipSync(code, { level: 9, mtime: 0 }).toBase64().match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
    return `/** Gzipped, as base64: ${what}, of ${imports[from].replace("/decode.js", "")}. */
export const ${name} =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
  }));
  return `// Copied from the packages' WebAssembly by tasks/build_codecs.ts. Do not edit.
// deno-fmt-ignore-file

${parts.join("\n")}`;
}

if (import.meta.main) await Deno.writeTextFile(GENERATED, await buildCodecs());
