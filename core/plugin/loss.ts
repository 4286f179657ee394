import type { ChainMap } from "../distill/chain_map.ts";
import type { Scheduled } from "../recipe/scheduled.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { Batch, InputDescription } from "./dataset.ts";
import type { OptionSchema } from "./kit.ts";
import type { Model, ModelOutputs, ParameterSpec } from "./model.ts";

/** What a loss is built with, once before training. */
export interface LossSetup {
  readonly ops: Ops;
  readonly data: InputDescription;
  readonly student: Model;
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
  readonly features: Readonly<Record<string, readonly number[]>>;
  readonly hidden: readonly (readonly number[])[];
  readonly attention: readonly (readonly number[])[];
  readonly pooled: readonly number[];
}

/** What a loss computes from, once per step. */
export interface LossCall {
  readonly ops: Ops;
  readonly student: ModelOutputs;
  /** The teacher's outputs as constants. Only a loss with `needsTeacher` may read it. */
  readonly teacher: ModelOutputs;
  readonly batch: Batch<Tensor>;
  readonly weights: Weights;
  /** The loss's own parameters. */
  readonly parameters: Weights;
  /** A number of the options at this step, whether it is scheduled or constant. */
  readonly at: (value: Scheduled) => number;
}

/** A loss for one run. */
export interface Loss {
  /** Whether the teacher's forward pass is needed. */
  readonly needsTeacher: boolean;
  /** Learned tensors of the loss itself, such as projections. They are trained and not exported. */
  readonly parameters?: readonly ParameterSpec[];
  /** A scalar: the mean over the batch. */
  compute(call: LossCall): Tensor;
}

/** A distillation loss. */
// deno-lint-ignore no-explicit-any
export interface LossDefinition<Options = any> {
  readonly kind: "loss";
  readonly name: string;
  readonly description: string;
  readonly options: OptionSchema<Options>;
  /** @throws UserError if the options do not fit the models */
  create(options: Options, setup: LossSetup): Loss | Promise<Loss>;
}

/** A loss plug-in; the function only gives the types. */
export function defineLoss<Options>(definition: Omit<LossDefinition<Options>, "kind">): LossDefinition<Options> {
  return { kind: "loss", ...definition };
}
