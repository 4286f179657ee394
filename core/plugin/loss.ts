import type { ChainMap } from "../distill/chain_map.ts";
import type { Scheduled } from "../recipe/scheduled.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { Batch, InputDescription } from "./dataset.ts";
import type { PluginDefinition } from "./kit.ts";
import type { Model, ModelOutputs, ParameterSpec } from "./model.ts";

/** What a loss is built with, once before training. */
export interface LossSetup {
  /** What it computes with. */
  readonly ops: Ops;
  /** Image size and classes. */
  readonly data: InputDescription;
  /** The model that is trained. */
  readonly student: Model;
  /** The model that is distilled from, if there is one. */
  readonly teacher: Model | null;
  /** The student's chains, and the teacher's matrices decomposed alike. */
  readonly chains: ChainMap;
  /** Shapes of what both models give for one example, batch dimension left out. */
  readonly shapes: { readonly student: OutputShapes; readonly teacher: OutputShapes | null };
  /** Tells the user something about the set-up, once. */
  readonly report: (line: string) => void;
}

/** Shapes of a model's outputs, batch dimension included as 1. */
export interface OutputShapes {
  /** By layer name. */
  readonly features: Readonly<Record<string, readonly number[]>>;
  /** From the first layer to the last. */
  readonly hidden: readonly (readonly number[])[];
  /** From the first layer to the last. */
  readonly attention: readonly (readonly number[])[];
  /** What the last linear layer sees. */
  readonly pooled: readonly number[];
}

/** What a loss computes from, once per step. */
export interface LossCall {
  /** What it computes with. */
  readonly ops: Ops;
  /** The student's outputs; gradients go through them. */
  readonly student: ModelOutputs;
  /** The teacher's outputs as constants. Only what `teacherOutputs` names is there. */
  readonly teacher: ModelOutputs;
  /** The batch: `label [batch]` and the inputs. */
  readonly batch: Batch<Tensor>;
  /** The student's weights of this step, and its cores. */
  readonly weights: Weights;
  /** The loss's own parameters. */
  readonly parameters: Weights;
  /** A number of the options at this step, whether it is scheduled or constant. */
  readonly at: (value: Scheduled) => number;
}

/** A loss for one run. */
export interface Loss {
  /** Which of the teacher's outputs `compute` reads; others are not kept. Without any, no teacher is needed. */
  readonly teacherOutputs: readonly (keyof ModelOutputs)[];
  /** Learned tensors of the loss itself, such as projections. They are trained and not exported. */
  readonly parameters?: readonly ParameterSpec[];
  /** A scalar: the mean over the batch. */
  compute(call: LossCall): Tensor;
}

/** A distillation loss. */
// deno-lint-ignore no-explicit-any
export interface LossDefinition<Options = any> extends PluginDefinition<"loss", Options> {
  /** The loss for one run. @throws UserError if the options do not fit the models */
  create(options: Options, setup: LossSetup): Loss | Promise<Loss>;
}

/** A loss plug-in; the function only gives the types. */
export function defineLoss<Options>(definition: Omit<LossDefinition<Options>, "kind">): LossDefinition<Options> {
  return { kind: "loss", ...definition };
}
