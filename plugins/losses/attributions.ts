import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { ForwardCall, Model } from "../../core/plugin/model.ts";
import type { Tensor } from "../../core/tensor.ts";

/** One place on the way from no embeddings to those of the texts, and what a model answers there. */
export interface Place {
  /** `[batch, length, width]`: what the model's first layer gets. */
  readonly embeddings: Tensor;
  /** `[batch, classes]`, or `[batch, 1]` of a regression; computed from these embeddings within `differentiate`. */
  readonly logits: Tensor;
}

const LOGITS: ReadonlySet<string> = new Set(["logits"]);

/**
 * A model's answers at k / steps of the embeddings, k = 1 to steps, within the body of `ops.differentiate`.
 *
 * @param call evaluation, or training, with dropout of its own at each place
 * @throws UserError for a model that does not ask for its layers, or whose layers cannot be run alone
 */
export function placesOf(model: Model, call: ForwardCall, steps: number): Place[] {
  const { ops } = call;
  return Array.from({ length: steps }, (_, step) => {
    const share = (step + 1) / steps;
    let embeddings: Tensor | undefined;
    const replaceLayer = (layer: number, x: Tensor) => {
      if (layer > 0) return null;
      // What is computed from it is recorded, even where nothing before it is differentiated.
      embeddings = ops.watch(share === 1 ? x : ops.scale(x, share));
      return share === 1 ? null : model.runLayer!(call, 0, embeddings);
    };
    const { logits } = model.forward({ ...call, wanted: LOGITS, replaceLayer });
    if (embeddings) return { embeddings, logits };
    throw new UserError(
      "Cannot take attributions of a model that does not show what its first layer gets: it is no encoder",
    );
  });
}

/**
 * The log-odds of a class against all others, z_c - log sum_(j != c) exp(z_j), summed over the batch; of a regression
 * its number. An example's log-odds depend on that example alone, so that one gradient of the sum has those of all.
 */
export function logOddsOf(ops: Ops, logits: Tensor, view: number): Tensor {
  const [, classes] = logits.shape;
  const column = (begin: number) => ops.slice(logits, { axis: 1, begin, length: 1 });
  if (classes === 1) return ops.sum(logits);
  const others = Array.from({ length: classes }, (_, other) => other).filter((other) => other !== view);
  if (others.length === 1) return ops.sum(ops.subtract(column(view), column(others[0])));
  const rest = ops.concat(others.map(column), { axis: 1 });
  const first = (x: Tensor) => ops.slice(x, { axis: 1, begin: 0, length: 1 });
  return ops.sum(ops.subtract(column(view), ops.subtract(first(rest), first(ops.logSoftmax(rest)))));
}

/**
 * Integrated gradients (Sundararajan, Taly and Yan 2017, arXiv 1703.01365) of a class's log-odds by the embeddings x,
 * from x = 0 on: x times the mean of the gradients at k / m of x, k = 1 to m. Over tokens and width they add up to the
 * log-odds at x less those at 0, but for the error of the sum, which goes with 1 / m.
 *
 * @param places as {@link placesOf} gives them; the last one's embeddings are x itself
 * @returns `[batch, length, width]`, with gradients of its own
 */
export function integratedGradients(ops: Ops, places: readonly Place[], view: number): Tensor {
  const gradients = places.map(({ embeddings, logits }) => ops.gradient(logOddsOf(ops, logits, view), embeddings));
  const mean = places.length === 1 ? gradients[0] : ops.scale(ops.total(gradients), 1 / places.length);
  return ops.multiply(places.at(-1)!.embeddings, mean);
}
