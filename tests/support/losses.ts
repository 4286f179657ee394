import { optionKit } from "../../core/plugin/kit.ts";
import type { ChainMap } from "../../core/plugin/chains.ts";
import { weightsFrom } from "../../core/nn/weights.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Loss, LossCall, LossDefinition, LossSetup, OutputShapes } from "../../core/plugin/loss.ts";
import type { ModelOutputs } from "../../core/plugin/model.ts";
import { valueAt } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { imageData } from "./inputs.ts";

const noChains: ChainMap = {
  student: new Map(),
  shapes: { student: new Map(), teacher: new Map() },
  decomposeTeacher: () => Promise.reject(new Error("There are no chains")),
};

const named = (tensors: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));

const shapesOf = (
  { features, hidden, attention, pooled, transitions, scores, relations, subclassLogits, headLogits }: ModelOutputs,
): OutputShapes => ({
  features: named(features),
  hidden: hidden.map(({ shape }) => shape),
  attention: attention.map(({ shape }) => shape),
  pooled: pooled.shape,
  ...(transitions && { transitions: transitions.shape }),
  ...(scores && { scores: scores.map(({ shape }) => shape) }),
  ...(relations && { relations: relations.map(({ queries }) => queries.shape) }),
  ...(subclassLogits && { subclassLogits: subclassLogits.shape }),
  ...(headLogits && { headLogits: named(headLogits) }),
});

/** A model's outputs of which only some matter. */
export function outputs(logits: Tensor, others: Partial<ModelOutputs> = {}): ModelOutputs {
  return { logits, features: {}, hidden: [], attention: [], pooled: logits, ...others };
}

/** Builds a loss as the pipeline does: options through the plug-in's own schema. */
export async function buildLoss(
  ops: Ops,
  definition: LossDefinition,
  options: Record<string, unknown>,
  { student, teacher }: { student: ModelOutputs; teacher: ModelOutputs },
  setup: Partial<LossSetup> = {},
): Promise<Loss> {
  const model = { parameters: [], config: {}, forward: () => student, fromForeign: () => null };
  return await definition.create(definition.options(optionKit).parse(options), {
    ops,
    data: imageData([1, 1, 1], ["a", "b", "c"]),
    student: model,
    teacher: model,
    trainingExamples: 8,
    chains: noChains,
    shapes: { student: shapesOf(student), teacher: shapesOf(teacher) },
    report: () => {},
    ...setup,
  });
}

/** What a loss is called with, at the first of ten steps. */
export function lossCall(
  ops: Ops,
  student: ModelOutputs,
  teacher: ModelOutputs,
  others: Partial<LossCall> = {},
): LossCall {
  const none = weightsFrom(new Map());
  const progress = { step: 0, totalSteps: 10, stepsPerEpoch: 5 };
  return {
    ops,
    student,
    teacher,
    batch: {},
    weights: none,
    parameters: none,
    state: none,
    at: (value) => valueAt(value, progress),
    ...others,
  };
}
