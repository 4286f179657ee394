import { dirname, join, relative } from "node:path";
import { parseTarGzip } from "npm:nanotar@0.3.0";
import { ENTRIES } from "./bundle.ts";
import type { Configuration } from "./manifest.ts";
import { pathsIn } from "./paths_in.ts";

/** Where a type has `using`, older libraries of TypeScript's have to be told. */
const DISPOSABLE = '/// <reference lib="esnext.disposable" />\n';

/**
 * A declaration for every TypeScript: those before 6 do not know WebGPU without a package, with which the later ones do
 * not compile. An empty interface is filled in by either, and harms nobody without them.
 */
function forAll(text: string): string {
  const code = text.replaceAll(/\/\*[^]*?\*\//g, "");
  const types = [...new Set(code.match(/\bGPU\w*\b/g))].sort().map((name) => `  interface ${name} {}\n`);
  const reference = /\bDisposable\b|\bSymbol\.dispose\b/.test(code) ? DISPOSABLE : "";
  return reference + text + (types.length > 0 ? `\ndeclare global {\n${types.join("")}}\n` : "");
}

/**
 * The declarations of all that the entries reach, by Deno's packer. It makes them from what is written in the sources,
 * without the compiler, as for JSR; its code is not used, as it leaves imports of shaders that Node.js cannot load.
 *
 * @param checkout the folder of the sources
 * @param folder an empty one, for the packer
 * @returns their text by their paths
 * @throws Error with what the packer says
 */
export async function declarations(
  checkout: string,
  { name, version, license, imports }: Configuration,
  folder: string,
): Promise<Map<string, string>> {
  for (const path of [...ENTRIES, "core", "plugins", "shaders", "LICENSE", "README.md"]) {
    await copy(join(checkout, path), join(folder, path));
  }
  const exports = { ".": "./mod.ts", "./node": "./node.ts", "./core": "./core/mod.ts", "./plugins": "./plugins/mod.ts" };
  const configuration = { name, version, license, imports, exports };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(configuration));
  const archive = join(folder, "package.tgz");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["pack", "--no-source-maps", "--output", archive],
    cwd: folder,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot make the package's declarations: ${new TextDecoder().decode(stderr)}`);
  const packed = await parseTarGzip(await Deno.readFile(archive));
  return new Map(
    packed.filter(({ name }) => name.endsWith(".d.ts"))
      .map(({ name, text }) => [name.replace(/^package\//, ""), forAll(text)]),
  );
}

/** Copies a file, or the sources of a folder. */
async function copy(from: string, to: string): Promise<void> {
  const paths = (await Deno.stat(from)).isDirectory ? await pathsIn(from) : [from];
  for (const path of paths) {
    if (path !== from && !/\.(?:ts|wgsl)$/.test(path)) continue;
    const target = join(to, relative(from, path));
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.copyFile(path, target);
  }
}
