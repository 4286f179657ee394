import { dirname, join } from "node:path";
import type { Command } from "commander";
import { makeFolder } from "../core/files.ts";
import { UserError } from "../core/errors.ts";
import { sources } from "./support/checkout.ts";
import { addVerbose } from "./support/flags.ts";
import { standardOutput } from "./support/output.ts";

/** What the compiled program may do; it never asks for more. */
const PERMISSIONS = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  "--allow-env=XDG_RUNTIME_DIR,CI,TERM",
  // For serve; what runs plug-ins goes without.
  "--allow-net=127.0.0.1",
  // By which plug-ins are confined.
  "--unstable-worker-options",
];

/** Files that no import names: the shipped recipes, and the data and weights that they use. */
const INCLUDED = ["tasks/recipes", "plugins/datasets/data", "plugins/models/data"];

/** Adds the verb `compile`: makes one executable file of this program. */
export function addCompile(program: Command): void {
  addVerbose(
    program.command("compile").description("make one executable file of this program, for machines without Deno")
      .option("--out <file>", "the executable", join("runs", "bin", "opdf")),
  ).action(async ({ out }: { readonly out: string }) => {
    const checkout = sources("compile");
    await makeFolder(dirname(out), "the folder");
    standardOutput("stdout").line(await compile(checkout, out));
  });
}

/** @returns what Deno says about it: the files that the executable holds */
async function compile(checkout: string, out: string): Promise<string> {
  const included = INCLUDED.flatMap((path) => ["--include", join(checkout, path)]);
  const flags = [...PERMISSIONS, "--no-check", "--exclude-unused-npm", ...included, "--output", out];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", ...flags, join(checkout, "tasks", "cli.ts")],
    stdin: "null",
  }).output();
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).filter(Boolean).join("\n");
  if (!success) throw compileError(said);
  return said;
}

/** The reason from the output of `deno compile`; its runtime is a download, which not every network allows. */
export function compileError(said: string): Error {
  if (!/\bdenort\b/.test(said)) return new Error(`deno compile failed: ${said}`);
  return new UserError(
    "Cannot compile as Deno's runtime for executables (denort) can neither be found nor downloaded here: set " +
      `DENORT_BIN to the file denort of Deno ${Deno.version.deno}, or run from a checkout with deno task`,
  );
}
