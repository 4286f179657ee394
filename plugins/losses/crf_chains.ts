import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { LossSetup } from "../../core/plugin/loss.ts";
import type { ModelOutputs } from "../../core/plugin/model.ts";
import type { Tensor } from "../../core/tensor.ts";

/** The scores of a tagger as a linear chain. */
export interface ChainScores {
  /** `[batch, length, tags]` */
  readonly emissions: Tensor;
  /** `[tags, tags]`, from and to. */
  readonly transitions: Tensor;
}

/** A tagger's scores; one without a CRF decides each token by itself, which is a chain whose transitions are 0. */
export function chainScores(ops: Ops, { logits, transitions }: ModelOutputs): ChainScores {
  const tags = logits.shape.at(-1)!;
  return { emissions: logits, transitions: transitions ?? ops.full([tags, tags], 0) };
}

/**
 * Refuses a loss over chains where the task is not tagging, and reports which of its models have no transitions.
 *
 * @param who name of the loss
 * @param models whose chains it reads
 * @throws UserError for another task
 */
export function expectTaggers(who: string, setup: LossSetup, models: readonly ("student" | "teacher")[]): void {
  const { data: { task }, shapes, report } = setup;
  if (task !== "tagging") {
    throw new UserError(`Cannot use the loss "${who}" for ${task}: it compares chains of tags, which tagging has`);
  }
  for (const model of models) {
    if (shapes[model] && !shapes[model].transitions) {
      report(`${who}: the ${model} has no CRF, so its tokens are tagged each by itself, with transitions of 0`);
    }
  }
}

/** Minus the log-likelihood of paths of tags `[batch, length]`, with -1 at positions that are left out: `[batch]`. */
export function negativeLogLikelihood(ops: Ops, chain: ChainScores, path: Tensor, mask: Tensor): Tensor {
  const { emissions, transitions } = chain;
  const score = ops.crfScore(emissions, transitions, path);
  return ops.subtract(ops.crfLogPartition(emissions, transitions, mask), score);
}
