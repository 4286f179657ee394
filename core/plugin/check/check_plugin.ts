import { expectArguments } from "../../arguments.ts";
import { guardDefinition } from "../guard.ts";
import { optionKit } from "../kit.ts";
import type { Definitions, PluginKind } from "../registry.ts";
import { Rigs } from "./rigs.ts";
import { type Check, type CheckResult, runCheck } from "./check.ts";
import { datasetChecks } from "./dataset_checks.ts";
import { definitionChecks, type DefinitionSetup } from "./definition_checks.ts";
import type { ImageSize } from "./inputs.ts";
import { lossChecks } from "./loss_checks.ts";
import { modelChecks } from "./model_checks.ts";

/** Options of checking a plug-in; everything has a default. */
export interface CheckOptions extends Partial<DefinitionSetup> {
  /** Whether a missing WebGPU adapter is a failure; else checks that need one are skipped. */
  readonly requireWebgpu?: boolean;
  /** Height and width of the made-up images that a model is checked with; 8 and 8 by default. */
  readonly imageSize?: readonly [height: number, width: number];
  /** The folder that files of a data set are relative to; the working directory by default. */
  readonly base?: string;
}

/**
 * Checks that a plug-in keeps the contract of its kind: it is built with the options and run on made-up data, on every
 * backend of this machine, and its gradients are compared with finite differences. It is called as a run calls it,
 * behind the same guard, so that what is wrong in it is said in the same words.
 *
 * @param definition a model, a loss or a data set
 * @param how its options, and what it is checked on
 * @returns the outcome of each check as soon as it is there
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { builtins } from "@opdf/opdf";
 *
 * const [crossEntropy] = builtins.loss;
 * for await (const { name, outcome, detail } of checkPlugin(crossEntropy)) {
 *   assert.notEqual(outcome, "failed", `${name}: ${detail}`);
 * }
 * ```
 */
export async function* checkPlugin(
  definition: Definitions[PluginKind],
  how: CheckOptions = {},
): AsyncGenerator<CheckResult> {
  expectArguments("checkPlugin", {
    definition: [definition, "a plug-in, { kind, name, options, ... }"],
    how: [how, "a map"],
  });
  const { options = {}, text = null, requireWebgpu = false, base = ".", imageSize } = how;
  const rigs = new Rigs(requireWebgpu);
  try {
    for (const check of checksOf(guardDefinition(definition), { options, text, base, imageSize }, rigs)) {
      const result = await runCheck(check);
      yield result;
      if (result.outcome === "failed" && check.decisive) return;
    }
  } finally {
    await rigs.close();
  }
}

/** All checks in order; those of the kind take the options as the schema gives them. */
function* checksOf(
  definition: Definitions[PluginKind],
  setup: DefinitionSetup & { readonly base: string; readonly imageSize?: ImageSize },
  rigs: Rigs,
): Generator<Check> {
  yield* definitionChecks(definition, setup);
  const options = definition.options(optionKit).parse(setup.options);
  if (definition.kind === "loss") yield* lossChecks(definition, options, rigs);
  else if (definition.kind === "model") yield* modelChecks(definition, options, rigs, setup.imageSize);
  else yield* datasetChecks(definition, options, setup.base);
}
