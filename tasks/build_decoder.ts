/**
 * Makes the text of the program that a thread decodes pictures by, so that no place where the program runs needs to
 * find a file beside its code. The decoders' WebAssembly is left out: who starts the thread has it.
 *
 * `deno run --no-lock --allow-read --allow-write --allow-run tasks/build_decoder.ts` writes `decoder.generated.ts`.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The file that holds the program. */
export const GENERATED = new URL("../plugins/datasets/pictures/decoder.generated.ts", import.meta.url);

/** The text of `decoder.generated.ts`; the same sources give the same text on every machine. */
export async function buildDecoder(): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "decoder.js");
    const flags = ["--no-lock", "--quiet", "--platform", "browser", "--format", "iife", "--minify"];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", ...flags, "--external", "*/codecs.generated.ts", "--output", file, "decoder_program.ts"],
      cwd: fileURLToPath(new URL(".", GENERATED)),
      stdin: "null",
    }).output();
    if (!success) throw new Error(`Cannot bundle the decoder: ${new TextDecoder().decode(stderr)}`);
    return `// Bundled from decoder_program.ts by tasks/build_decoder.ts. Do not edit.
// deno-fmt-ignore-file
// deno-lint-ignore-file

/** The body of a function of \`scope\`; what it asks \`require\` for are the decoders of codecs.generated.ts. */
export const DECODER_PROGRAM =
  ${JSON.stringify((await Deno.readTextFile(file)).trim())};
`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await Deno.writeTextFile(GENERATED, await buildDecoder());
