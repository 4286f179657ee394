import { asOutcomes } from "../../evaluate/bernoulli.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import { chainPositions } from "../../plugin/chain_positions.ts";
import type { Batch, Task } from "../../plugin/dataset.ts";
import type { ForwardCall, Model, ModelOutputs } from "../../plugin/model.ts";
import type { Tensor } from "../../tensor.ts";

/** One of several teachers. */
export interface Member {
  readonly model: Model;
  /** Its part in the mean of predictions, relative to the others' parts. */
  readonly share: number;
}

/** The name in the whole of a member's tensor; the first one keeps its names. */
export function memberName(member: number, name: string): string {
  return member === 0 ? name : `teacher ${member + 1}: ${name}`;
}

/**
 * Several models as one, whose weights are all of theirs under {@link memberName}. Its `logits` are the logarithm of
 * the weighted mean of their softmax probabilities, for several labels those of the mean of their sigmoid's, for a
 * regression the mean of their predictions; everything else is the first one's. A tagger with a CRF takes part in it by
 * the marginal probabilities of its chains; the whole has no chains, and decides each token by itself.
 */
export function ensemble(members: readonly Member[], task: Task): Model {
  const [{ model: first }] = members;
  const whole = members.reduce((sum, { share }) => sum + share, 0);
  return {
    parameters: members.flatMap(({ model }, index) =>
      model.parameters.map((spec) => ({ ...spec, name: memberName(index, spec.name) }))
    ),
    foreignParameters: members.reduce((sum, { model }) => sum + (model.foreignParameters ?? 0), 0),
    members: members.length,
    classifier: first.classifier,
    layerPrefixes: first.layerPrefixes,
    runLayer: first.runLayer &&
      ((call, layer, x) => first.runLayer!({ ...call, weights: weightsOf(0, call.weights) }, layer, x)),
    config: first.config,
    replay: members.every(({ model }) => model.replay !== false),
    fromForeign: (name) => first.fromForeign(name),
    hostOutputs: members.some(({ model }) => model.hostOutputs)
      ? (batch, wanted) =>
        Object.fromEntries(
          members.flatMap(({ model }, index) =>
            Object.entries(model.hostOutputs?.(batch, wanted) ?? {}).map((
              [name, numbers],
            ) => [givenName(index, name), numbers])
          ),
        )
      : undefined,
    forward(call) {
      const outputs = members.map(({ model }, index) =>
        model.forward({ ...call, batch: batchOf(index, call.batch), weights: weightsOf(index, call.weights) })
      );
      const logits = outputs.map((own, index) => [tokenLogits(call, own), members[index].share / whole] as const);
      const { predictions: _decisions, transitions: _chains, ...others } = outputs[0];
      return { ...others, logits: MEANS[task](call.ops, logits) };
    },
  };
}

/** The name in a batch of what a member computed on the host, where another may use the same names. */
function givenName(member: number, name: string): string {
  return `teacher ${member + 1} gives: ${name}`;
}

/** A batch in which a member finds what it computed on the host. */
function batchOf<Part>(member: number, batch: Batch<Part>): Batch<Part> {
  const prefix = givenName(member, "");
  const own = Object.entries(batch).filter(([name]) => name.startsWith(prefix));
  return { ...batch, ...Object.fromEntries(own.map(([name, part]) => [name.slice(prefix.length), part])) };
}

function weightsOf(member: number, weights: Weights): Weights {
  return {
    get: (name) => weights.get(memberName(member, name)),
    rows: (name) => weights.rows(memberName(member, name)),
    cores: (name) => weights.cores(memberName(member, name)),
  };
}

/** Logits of each token by itself: of a chain the logarithms of its marginal probabilities. */
function tokenLogits({ ops, batch }: ForwardCall, { logits, transitions }: ModelOutputs): Tensor {
  if (!transitions) return logits;
  return ops.crfLogMarginals(logits, transitions, chainPositions(ops, batch, logits.shape));
}

type Weighted = readonly (readonly [logits: Tensor, part: number])[];

const MEANS: Readonly<Record<Task, (ops: Ops, outputs: Weighted) => Tensor>> = {
  classification: logMean,
  tagging: logMean,
  regression: mean,
  "multi-label": logOddsOfMean,
  // Of different models' vectors there is none: several teachers are refused.
  embedding: mean,
};

function mean(ops: Ops, outputs: Weighted): Tensor {
  return ops.total(outputs.map(([x, part]) => ops.scale(x, part)));
}

/** log of the sum of part * softmax(logits), without leaving logarithms, where small probabilities would be lost. */
function logMean(ops: Ops, outputs: Weighted): Tensor {
  return outputs.map(([x, part]) => ops.offset(ops.logSoftmax(x), Math.log(part))).reduce((a, b) => {
    const distance = ops.negate(ops.abs(ops.subtract(a, b)));
    return ops.add(ops.maximum(a, b), ops.log(ops.offset(ops.exp(distance), 1)));
  });
}

/** log of p / (1 - p) for the mean p of sigmoid(logits), from the logarithms of both. */
function logOddsOfMean(ops: Ops, outputs: Weighted): Tensor {
  const [[{ shape }]] = outputs;
  const both = logMean(ops, outputs.map(([x, part]) => [asOutcomes(ops, x), part]));
  return ops.reshape(ops.sum(ops.multiply(both, ops.tensor([1, -1])), { axes: [1] }), shape);
}
