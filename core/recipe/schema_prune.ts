import { z } from "zod";
import { bounded } from "./bounds.ts";
import { layerPatterns } from "./layer_patterns.ts";

/** So many of so many weights in a row stay; GPUs know 2:4. */
const GROUPS = /^([1-9]\d{0,2}):([1-9]\d{0,2})$/;

/** How many weights of each group stay, and of how many; `null` for a structure without groups. */
export function groupsOf(structure: string): { readonly kept: number; readonly of: number } | null {
  const found = GROUPS.exec(structure);
  return found && { kept: Number(found[1]), of: Number(found[2]) };
}

const structure = z.string().refine((text) => {
  const groups = groupsOf(text);
  return text === "unstructured" || text === "channels" || groups !== null && groups.kept < groups.of;
}, {
  error:
    "Expected unstructured, channels, or n:m with n below m and m below 1000 (2:4: two of every four weights stay)",
});

/** Weights of the student that are taken away. */
export const pruneSchema = z.strictObject({
  method: z.enum(["magnitude", "random", "movement"]).default("magnitude").describe(
    "What goes first: the smallest weights, any, or those that training moves towards zero (Sanh et al. 2020)",
  ),
  structure: structure.default("unstructured").describe(
    "unstructured: any weight becomes zero; 2:4: two of every four along a matrix's inputs stay; channels: tensors " +
      "become smaller, by widths within the model that nothing else depends on",
  ),
  layers: layerPatterns.default("*").describe(
    "Which matrices and filters, by patterns of names; of channels which of the model's inner widths",
  ),
  amount: bounded(z.number().min(0).max(1), "it is the part that goes").nullable().default(null).describe(
    "Part of the chosen weights, or channels, that goes; this or parameters; null for n:m, which says it itself",
  ),
  parameters: bounded(z.int().min(1).max(1e12), "no model has more").nullable().default(null).describe(
    "Numbers of the whole student that are left: those that are not masked, of channels all of the smaller student",
  ),
  scope: z.enum(["global", "layer"]).nullable().default(null).describe(
    "Whether weights are held against all that are chosen, or against those of their own layer; null: global, of " +
      "channels layer",
  ),
  schedule: z.enum(["cubic", "once"]).nullable().default(null).describe(
    "Whether more and more goes (Zhu and Gupta 2017) or all at once; null: cubic, of channels once, before training, which makes the steps faster",
  ),
  over: z.number().min(0).max(1).nullable().default(null).describe(
    "Share of the training steps after which no mask changes any more; null: 0.5, or 0 for once by magnitude or at random",
  ),
}).superRefine(({ method, structure, amount, parameters, scope, schedule, over }, context) => {
  const refuse = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
  if (groupsOf(structure)) {
    for (const [key, value] of Object.entries({ amount, parameters, scope })) {
      if (value !== null) {
        refuse(key, `Cannot use ${key} with the structure ${structure}, which says what stays of each group`);
      }
    }
  } else if ((amount === null) === (parameters === null)) {
    const message = `Expected one of amount and parameters: got ${amount === null ? "neither" : "both"}`;
    context.addIssue({ code: "custom", message });
  }
  if (structure === "channels") {
    if (method === "movement") {
      refuse("method", "Cannot choose channels by movement: expected magnitude or random");
    }
    if (schedule !== "cubic" && over !== null) {
      refuse("over", "Cannot use over with channels that go before training: expected schedule: cubic");
    }
    if (over === 0) refuse("over", "Cannot take channels away step by step in no steps: expected a share above 0");
    if (amount === 1) refuse("amount", "Cannot take all channels away: expected an amount below 1");
  } else if (method === "movement" && over === 0) {
    refuse("over", "Cannot choose by movement before training has moved anything: expected a share above 0");
  } else if (schedule !== "once" && over === 0) {
    refuse("over", "Cannot take weights away step by step in no steps: expected a share above 0, or schedule: once");
  }
});
