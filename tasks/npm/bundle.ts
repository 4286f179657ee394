import { relative } from "node:path";
import ts from "npm:typescript@6.0.3";
import { pathsIn } from "./paths_in.ts";

/** Engines from 2022 on parse it: `using` becomes what it stands for. */
const LOWERED: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  removeComments: true,
};

/**
 * Bundles the entries, with what they share in files of its own. Shaders and WebAssembly become text in them; packages
 * stay imports.
 *
 * @param checkout the folder of the sources
 * @param entries their paths from there
 * @param packages what is imported by these names stays an import
 * @param folder an empty one, for the bundler
 * @returns the modules' code by their paths
 * @throws Error with what the bundler says
 */
export async function bundle(
  checkout: string,
  entries: readonly string[],
  packages: readonly string[],
  folder: string,
): Promise<Map<string, string>> {
  const external = packages.flatMap((name) => ["--external", name]);
  const flags = ["--no-config", "--no-lock", "--platform", "deno", "--code-splitting", "--quiet"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", ...flags, ...external, "--outdir", folder, ...entries],
    cwd: checkout,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot bundle the package: ${new TextDecoder().decode(stderr)}`);
  const modules = new Map<string, string>();
  for (const path of await pathsIn(folder)) {
    const { outputText } = ts.transpileModule(await Deno.readTextFile(path), { compilerOptions: LOWERED });
    modules.set(relative(folder, path).replaceAll("\\", "/"), outputText);
  }
  return modules;
}

/** The packages that modules import. */
export function importedPackages(modules: Iterable<string>): Set<string> {
  const found = new Set<string>();
  for (const code of modules) {
    for (const [, name] of code.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^."][^"]*)";/gm)) {
      if (!name.startsWith("node:")) found.add(name);
    }
  }
  return found;
}
