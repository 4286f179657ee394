import type { Command } from "commander";
import { checkPlugin } from "../core/plugin/check/check_plugin.ts";
import { UserError } from "../core/errors.ts";
import { confined } from "./support/confine.ts";
import { addVerbose } from "./support/flags.ts";
import { findPlugin } from "./support/find_plugin.ts";
import { counted } from "./support/format.ts";
import { writePlugin } from "./support/new_plugin.ts";
import { standardOutput, stylesOf } from "./support/output.ts";
import { readOptions } from "./support/plugin_options.ts";

/** Adds the verb `plugin`: what an author of plug-ins needs. */
export function addPlugin(program: Command): void {
  const plugin = program.command("plugin").description("start a model, a loss or a data set of your own, and check it");
  addVerbose(
    plugin.command("new").description("write a working file to start from, for a loss with its test")
      .argument("<kind>", "loss, model or dataset")
      .argument("<name>", "its name in recipes: small letters, digits and hyphens")
      .option("--folder <folder>", "where to write it", "."),
  ).action(start);
  addVerbose(
    plugin.command("check").description("run a plug-in on made-up data and see whether it keeps its contract")
      .argument("<plugin>", "file, or built-in name")
      .option("--options <options>", "its options, as in '{ temperature: 2 }', or a YAML or JSON file with them")
      .option("--image-size <size>", "height and width of a model's made-up images, as 64 or 64x48 (default: 8)"),
  ).action((use: string, flags: CheckFlags) => confined([], () => check(use, flags)));
}

async function start(kind: string, name: string, { folder }: { readonly folder: string }): Promise<void> {
  const out = standardOutput("stdout");
  const { files, advice } = await writePlugin(kind, name, folder);
  for (const file of files) out.line(`written   ${file}`);
  for (const line of advice) out.line(line);
}

interface CheckFlags {
  readonly options?: string;
  readonly imageSize?: string;
}

/** The largest side of made-up images: beyond it a check in float64 takes minutes. */
const MOST_PIXELS = 512;

/** Height and width as a flag has them. @throws UserError */
function readImageSize(given: string): readonly [number, number] {
  const [, height, width = height] = given.match(/^(\d{1,4})(?:x(\d{1,4}))?$/) ?? [];
  const sides = [Number(height), Number(width)] as const;
  if (sides.every((side) => side >= 1 && side <= MOST_PIXELS)) return sides;
  throw new UserError(`Cannot take "${given}" as --image-size: expected a side from 1 to ${MOST_PIXELS}, or 64x48`);
}

async function check(use: string, { options: given, imageSize }: CheckFlags): Promise<void> {
  const sizes = imageSize === undefined ? {} : { imageSize: readImageSize(imageSize) };
  const { definition, text } = await findPlugin(use);
  const { options, base } = await readOptions(given);
  const out = standardOutput("stdout");
  const { warning } = stylesOf(out);
  const counts = { ok: 0, failed: 0, skipped: 0 };
  for await (const result of checkPlugin(definition, { options, text, base, requireWebgpu: isCi(), ...sizes })) {
    const { name, outcome, detail } = result;
    counts[outcome]++;
    const shown = outcome.padEnd("skipped".length);
    out.line(`${outcome === "ok" ? shown : warning(shown)}  ${name}${detail === null ? "" : `: ${detail}`}`);
  }
  if (counts.failed > 0) {
    throw new UserError(`The ${definition.kind} "${definition.name}" fails ${counted(counts.failed, "check")}`);
  }
}

/** Under CI a machine without an adapter would leave WebGPU unchecked for good. */
function isCi(): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "CI" });
  return state === "granted" && Deno.env.get("CI") === "true";
}
