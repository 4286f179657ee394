import { optionKit } from "../../core/plugin/kit.ts";
import type { ChainMap } from "../../core/plugin/chains.ts";
import { weightsFrom } from "../../core/nn/weights.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Loss, LossCall, LossDefinition, LossSetup } from "../../core/plugin/loss.ts";
import type { ModelOutputs } from "../../core/plugin/model.ts";
import { mapOutputs } from "../../core/plugin/output_tree.ts";
import { valueAt } from "../../core/recipe/scheduled.ts";
import type { Tensor } from "../../core/tensor.ts";
import { imageData } from "./inputs.ts";

const noChains: ChainMap = {
  student: new Map(),
  shapes: { student: new Map(), teacher: new Map() },
  others: new Map(),
  decomposeTeacher: () => Promise.reject(new Error("There are no chains")),
};

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
    labelledExamples: 8,
    chains: noChains,
    startsFrom: new Map(),
    sameTokens: true,
    shapes: { student: mapOutputs(student, ({ shape }) => shape), teacher: mapOutputs(teacher, ({ shape }) => shape) },
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
