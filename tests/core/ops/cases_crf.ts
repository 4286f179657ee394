import type { Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { Case } from "./case.ts";

/** Batch, length, tags and mask of the chains that are tried. */
const chains: readonly (readonly [batch: number, length: number, tags: number, mask: readonly number[]])[] = [
  [2, 4, 3, [1, 1, 1, 1, 1, 1, 1, 1]],
  // Gaps, padding, a chain of one position and an empty one.
  [4, 5, 2, [0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]],
  [1, 6, 1, [1, 1, 1, 1, 1, 1]],
  // More tags than a workgroup has threads.
  [2, 3, 37, [1, 1, 1, 0, 1, 1]],
];

const casesOf = (call: (ops: Ops, emissions: Tensor, transitions: Tensor, mask: readonly number[]) => Tensor): Case[] =>
  chains.map(([batch, length, tags, mask]) => ({
    inputs: [{ shape: [batch, length, tags], low: -3, high: 3 }, { shape: [tags, tags], low: -2, high: 2 }],
    call: (ops, [emissions, transitions]) => call(ops, emissions, transitions, mask),
  }));

/** Linear chains; where a mask says 0, nothing may depend on the emissions. */
export const crfCases = {
  crfLogPartition: casesOf((ops, emissions, transitions, mask) =>
    ops.crfLogPartition(emissions, transitions, ops.tensor(mask, emissions.shape.slice(0, 2)))
  ),
  crfLogMarginals: casesOf((ops, emissions, transitions, mask) =>
    ops.crfLogMarginals(emissions, transitions, ops.tensor(mask, emissions.shape.slice(0, 2)))
  ),
  crfScore: casesOf((ops, emissions, transitions, mask) => {
    const tags = emissions.shape[2];
    const path = mask.map((kept, at) => kept ? (7 * at + 2) % tags : -1);
    return ops.crfScore(emissions, transitions, ops.tensor(path, emissions.shape.slice(0, 2)));
  }),
} satisfies Record<string, readonly Case[]>;
