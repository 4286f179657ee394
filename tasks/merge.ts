import { join } from "node:path";
import type { Command } from "commander";
import { CHECKPOINT_FILE } from "../core/distill/training/checkpoint.ts";
import { mergeCheckpoint } from "../core/distill/merge_checkpoint.ts";
import { CACHE } from "../core/data/remote_file.ts";
import { CpuBackend } from "../core/backend/cpu/cpu_backend.ts";
import { UserError } from "../core/errors.ts";
import { lockFolder } from "../core/lock.ts";
import { mergeOnHost } from "../core/mpo/merge_chain.ts";
import { readRecipe } from "../core/recipe/recipe.ts";
import { writeSafetensors } from "../core/safetensors.ts";
import { showShape } from "../core/tensor.ts";
import { allowedPlugins, type PluginFlags } from "./support/allowed_plugins.ts";
import { confined } from "./support/confine.ts";
import { readChain } from "./support/chain_file.ts";
import { addPluginFlag, addVerbose } from "./support/flags.ts";
import { grouped } from "./support/format.ts";
import { standardOutput } from "./support/output.ts";
import { runReporter } from "./support/progress.ts";

interface MergeFlags extends PluginFlags {
  readonly out?: string;
}

/** Adds the verb `merge`: makes plain weights of chains. */
export function addMerge(program: Command): void {
  const command = program.command("merge").description("contract chains of cores to plain weights")
    .argument("<source>", "run folder, whose checkpoint becomes a student, or a file written by decompose --out")
    .option("--out <path>", "student folder (default: student/ in the run folder), or safetensors file");
  addVerbose(addPluginFlag(command)).action(async (source: string, { out, ...flags }: MergeFlags) => {
    const isFolder = await Deno.stat(source).then((info) => info.isDirectory, () => false);
    if (!isFolder) return standardOutput("stdout").line(await mergeFile(source, out));
    await confined([out ?? source, CACHE], async () => {
      // A run that is still at work writes its own student there.
      using _lock = out === undefined ? await lockFolder(source, "a run writes to it") : null;
      standardOutput("stdout").line(await mergeRun(source, out ?? join(source, "student"), flags));
    });
  });
}

async function mergeRun(run: string, out: string, flags: PluginFlags): Promise<string> {
  const recipe = await readRecipe(join(run, "recipe.yaml"));
  const backend = await CpuBackend.create();
  const { step, bestEpoch, parameters } = await mergeCheckpoint(recipe, join(run, CHECKPOINT_FILE), out, {
    backend,
    builtins: allowedPlugins(flags),
    reporter: runReporter(standardOutput("stdout"), standardOutput("stderr")),
  }).finally(() => backend.close());
  const which = bestEpoch === null ? `after step ${step}` : `of epoch ${bestEpoch}, the best until step ${step}`;
  return `Merged the student ${which} to ${out}: ${grouped(parameters)} parameters`;
}

async function mergeFile(file: string, out: string | undefined): Promise<string> {
  const { tensor, shape, chain } = await readChain(file);
  if (out === undefined) throw new UserError(`Cannot merge "${file}" without --out FILE, where the matrix is written`);
  const data = Float32Array.from(mergeOnHost(chain));
  await writeSafetensors(out, new Map([[tensor, { shape, data }]]), { format: "pt" });
  return `Merged ${tensor} of shape ${showShape(shape)} to ${out}`;
}
