import { expectArguments } from "../core/arguments.ts";
import { findLoss, type LossFunction, lossFunction } from "../core/plugin/loss_function.ts";
import type { LossDefinition } from "../core/plugin/loss.ts";
import { isPluginFile, loadPluginFile } from "../core/plugin/registry.ts";
import { builtins } from "./builtins.ts";

/**
 * One loss as a function of logits, for a training loop of your own. Losses of chains, of projections that are trained
 * and of memory banks are for a run, and refused.
 *
 * @param name a built-in loss, a plug-in's file relative to the working directory, or a plug-in
 * @param options as in a recipe; defaults are filled in
 * @throws UserError for an unknown name or a wrong option
 *
 * @example
 * ```ts
 * import { createOps, loss, openBackend } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("auto");
 * const ops = createOps(backend);
 * const kd = await loss("kd", { temperature: 4 });
 * const [student, teacher] = [[1, 2, 3], [3, 2, 1]].map((row) => ops.keep(ops.tensor(row, [1, 3])));
 * const { loss: value, gradients } = ops.differentiate(() => kd({ ops, student, teacher }), [student]);
 * console.log(await value.read(), await gradients[0]!.read());
 * await backend.close();
 * ```
 */
export async function loss(
  name: string | LossDefinition,
  options: Readonly<Record<string, unknown>> = {},
): Promise<LossFunction> {
  if (typeof name !== "string") expectArguments("loss", { name: [name, "a plug-in, { kind, name, options, ... }"] });
  expectArguments("loss", { options: [options, "a map"] });
  if (typeof name !== "string") return lossFunction(name, options);
  const definition = isPluginFile(name) ? await loadPluginFile("loss", name, ".") : findLoss(name, builtins.loss);
  return lossFunction(definition, options);
}
