/**
 * Writes the package for npm, ready for `npm publish`: `deno task build-npm --out DIR`.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { Command } from "commander";
import "../core/deno/install.ts";
import { UserError } from "../core/errors.ts";
import { makeFolder, readTextIfThere, removePath, writeFileAtomically } from "../core/files.ts";
import { showBytes } from "../core/show_bytes.ts";
import configuration from "../deno.json" with { type: "json" };
import { bundle, importedPackages } from "./npm/bundle.ts";
import { declarations } from "./npm/declarations.ts";
import { manifest } from "./npm/manifest.ts";
import { pathsIn } from "./npm/paths_in.ts";
import { sources } from "./support/checkout.ts";
import { endingOf } from "./support/errors.ts";
import { standardOutput } from "./support/output.ts";

/** Of the package, in Deno and elsewhere. */
const ENTRIES = ["mod.ts", "tasks/npm/node.ts", "core/mod.ts", "plugins/mod.ts"];

/** By what a package of ours is told from another program's. */
const NAME = configuration.name;

/** @returns the files of the package by their paths */
export async function buildPackage(checkout: string): Promise<Map<string, string>> {
  const folder = await Deno.makeTempDir();
  try {
    const modules = await bundle(checkout, ENTRIES, Object.keys(configuration.imports), folder);
    const content = manifest(configuration, importedPackages(modules.values()));
    return new Map([
      ["package.json", `${JSON.stringify(content, null, 2)}\n`],
      ["README.md", await Deno.readTextFile(join(checkout, "tasks", "npm", "README.md"))],
      ["LICENSE", await Deno.readTextFile(join(checkout, "LICENSE"))],
      ...modules,
      ...await declarations(checkout, ENTRIES),
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Whether a folder holds a package of ours.
 *
 * @throws UserError if it holds another
 */
async function holdsOurs(folder: string): Promise<boolean> {
  if (folder.trim() === "") throw new UserError('--out "": Expected the name of a folder');
  const there = await readTextIfThere(join(folder, "package.json"), "the package that is there");
  if (there !== null && !there.includes(`"name": "${NAME}"`)) {
    throw new UserError(
      `Cannot write the package to "${folder}" as there is another package.json: name another folder, or move it away`,
    );
  }
  return there !== null;
}

async function write(files: ReadonlyMap<string, string>, folder: string): Promise<void> {
  // What an earlier build wrote would be published with it.
  if (await holdsOurs(folder)) {
    for (const path of await pathsIn(folder)) {
      const own = relative(folder, path).replaceAll("\\", "/");
      if (/\.(?:js|d\.ts)$/.test(own) && !own.startsWith("node_modules/") && !files.has(own)) await removePath(path);
    }
  }
  for (const [path, content] of files) {
    const file = join(folder, path);
    await makeFolder(dirname(file), "the package's folder");
    await writeFileAtomically(file, content);
  }
}

async function main(): Promise<void> {
  const program = new Command("build-npm").exitOverride().configureOutput({ outputError: () => {} })
    .option("--out <folder>", "where the package is written", join("runs", "npm")).allowExcessArguments(false);
  const { out } = program.parse(Deno.args, { from: "user" }).opts<{ out: string }>();
  await holdsOurs(out);
  const files = await buildPackage(sources("build the package"));
  await write(files, out);
  const bytes = [...files.values()].reduce((sum, content) => sum + new TextEncoder().encode(content).length, 0);
  standardOutput("stdout").line(`written ${files.size} files, ${showBytes(bytes)}, to ${out}`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    const { message, code } = endingOf(error, true);
    if (message !== "") standardOutput("stderr").line(message);
    Deno.exitCode = code;
  }
}
