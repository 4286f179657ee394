import type { Ops } from "../../../core/ops/ops.ts";
import type { LossSetup } from "../../../core/plugin/loss.ts";
import type { ModelOutputs } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { gen } from "../../golden/golden.ts";
import { outputs } from "../../support/losses.ts";
import { textData } from "../../support/inputs.ts";

/** The golden chains: emissions `[4, 3]` and transitions `[3, 3]` of both models, and the gold tags. */
export const student = { emissions: gen([4, 3], 12), transitions: gen([3, 3], 13) };
export const teacher = { emissions: gen([4, 3], 14), transitions: gen([3, 3], 15) };
export const gold = [0, 1, 2, 1];

/** What a tagger gives: emissions `[batch, length, tags]`, and transitions if it has a CRF. */
export function tagger(logits: Tensor, transitions?: Tensor): ModelOutputs {
  return outputs(logits, transitions && { transitions });
}

/** A golden chain as a batch of one. */
export function chain(ops: Ops, { emissions, transitions }: typeof student): ModelOutputs {
  return tagger(ops.tensor(emissions, [1, 4, 3]), ops.tensor(transitions, [3, 3]));
}

/** The golden chain in the middle of a longer row whose other positions hold `noise` and have no label. */
export function padded(ops: Ops, { emissions, transitions }: typeof student, noise: number): ModelOutputs {
  const rows = [noise, -noise, 1, ...emissions.slice(0, 6), noise, 2, 3, ...emissions.slice(6), 5, 6, noise];
  return tagger(ops.tensor(rows, [1, 7, 3]), ops.tensor(transitions, [3, 3]));
}
export const paddedGold = [-1, 0, 1, -1, 2, 1, -1];

/** A set-up for tagging that collects what the loss reports. */
export function taggingSetup(tags = 3): { setup: Partial<LossSetup>; lines: string[] } {
  const lines: string[] = [];
  const classes = Array.from({ length: tags }, (_, index) => `tag ${index}`);
  return { setup: { data: textData(classes, {}, "tagging"), report: (line) => void lines.push(line) }, lines };
}
