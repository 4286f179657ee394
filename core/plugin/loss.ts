import { expectArguments } from "../arguments.ts";
import type { ChainMap } from "./chains.ts";
import type { Scheduled } from "../recipe/scheduled.ts";
import type { Random } from "../data/random.ts";
import type { Initialiser } from "../nn/initialisers.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { Batch, HostTensor, InputDescription } from "./dataset.ts";
import type { PluginDefinition } from "./kit.ts";
import type { ForwardCall, Model, ModelOutputs, ParameterSpec } from "./model.ts";
import type { OutputShapes } from "./output_tree.ts";

/** The arguments of building a loss, once before training. */
export interface LossSetup {
  /** The operations of the backend. */
  readonly ops: Ops;
  /** Image size and classes. */
  readonly data: InputDescription;
  /** The model that is trained. */
  readonly student: Model;
  /** The model that is distilled from, if there is one. */
  readonly teacher: Model | null;
  /** How many examples are trained on. */
  readonly trainingExamples: number;
  /** How many of them have a label. */
  readonly labelledExamples: number;
  /** The student's chains, and the teacher's matrices decomposed alike. */
  readonly chains: ChainMap;
  /** Shapes of what both models give for one example. */
  readonly shapes: { readonly student: OutputShapes; readonly teacher: OutputShapes | null };
  /**
   * The teacher's weight that each of the student's is a copy of before training, by the student's name; of those that
   * start otherwise there is none.
   */
  readonly startsFrom: ReadonlyMap<string, string>;
  /** False for a teacher of texts with another tokenizer, whose outputs token by token are of other tokens. */
  readonly sameTokens: boolean;
  /**
   * How many of the teacher's logits of each example there are, the largest, where `teacher.keep.topK` keeps no more; a
   * loss that can do with these names `topLogits` in the place of `logits`, any other is refused. `null` or unset: all.
   */
  readonly topLogits?: number | null;
  /** Tells the user something about the set-up, once. */
  readonly report: (line: string) => void;
}

/** A tensor that a loss keeps from step to step. */
export interface StateSpec {
  /** Its name within the loss. */
  readonly name: string;
  /** Of any number of dimensions. */
  readonly shape: readonly number[];
  /** Its value before training. */
  readonly initialise: Initialiser;
}

/** Numbers that a loss computed of some training examples. */
export interface TaughtNumbers {
  /** The examples, as they are numbered among the training examples. */
  readonly indices: Uint32Array;
  /** `[examples, ...]` */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: ArrayLike<number>;
}

/** The arguments with which a loss looks at the training data, once before training. */
export interface PrepareCall {
  /** The operations of the backend. */
  readonly ops: Ops;
  /** The class of each training example, -1 for one without a label; `null` unless the task is classification. */
  readonly labels: ArrayLike<number> | null;
  /**
   * Runs the teacher over all training examples, unaugmented and in their order.
   *
   * @param choose takes `[batch, ...]` of the outputs that `teacherOutputs` names
   * @returns the chosen numbers of all examples, row-major `[examples, ...]`
   */
  overTrainingSet(choose: (outputs: ModelOutputs) => Tensor): Promise<Float32Array>;
  /**
   * Goes over all training examples, unaugmented and in their order, for a loss that runs the teacher in a way of its
   * own, in batches of as many as a step has.
   *
   * @param compute takes what the teacher's `forward` is called with, and gives `[batch, ...]`; of texts the shape may
   * change from batch to batch, as each is as long as its longest
   * @param change makes other inputs of a batch, on the host, for the teacher to see
   * @throws UserError without a teacher, for a loss that does not say `runsTeacher`, and with `change` for a teacher
   * that takes inputs of its own
   */
  overTrainingBatches(
    compute: (call: ForwardCall) => Tensor,
    change?: (batch: Batch<HostTensor>, indices: Uint32Array) => Batch<HostTensor>,
  ): AsyncIterable<TaughtNumbers>;
  /** The teacher's weights. @throws RangeError without a teacher, as for a name that is not there */
  readonly teacherWeights: Weights;
  /** The loss's state, to be filled by `ops.assign`. */
  readonly state: Weights;
  /** The same numbers in every run of the same seed. */
  readonly random: Random;
}

/** What a loss draws or looks up on the host for one step. */
export interface InputsCall {
  /** The batch's examples, as they are numbered among the training examples. */
  readonly indices: Uint32Array;
  /** Depends on seed and step only. */
  readonly random: Random;
}

/** The arguments of a loss at the end of an epoch. */
export interface EpochCall {
  /** The operations of the backend. */
  readonly ops: Ops;
  /** The loss's state. */
  readonly state: Weights;
  /** Epochs done, from 1. */
  readonly epoch: number;
}

/** The arguments of computing a loss, once per step. */
export interface LossCall {
  /** The operations of the backend. */
  readonly ops: Ops;
  /** The student's outputs; gradients go through them. */
  readonly student: ModelOutputs;
  /** The teacher's outputs as constants. Only what `teacherOutputs` names is there. */
  readonly teacher: ModelOutputs;
  /**
   * The batch: `label [batch]` and the inputs, with what the loss's own `inputs` added. Where some training examples
   * have no label, `labelled [batch]` says which have one, and only a loss of `labels: "some"` may look at `label`.
   */
  readonly batch: Batch<Tensor>;
  /** The student's weights of this step, and its cores. */
  readonly weights: Weights;
  /** The loss's own parameters. */
  readonly parameters: Weights;
  /** The loss's own state. */
  readonly state: Weights;
  /** A number of the options at this step, whether it is scheduled or constant. */
  readonly at: (value: Scheduled) => number;
}

/**
 * A loss for one run. A step may be recorded once and replayed: `compute` and `observe` then run once and their kernels
 * many times. So they remember nothing of their own: what changes from step to step is in the batch, in the state, or
 * comes from `at`.
 */
export interface Loss {
  /** False for a loss of which this is not true: then every step of a run is computed anew. */
  readonly replay?: boolean;
  /** The teacher's outputs that the loss reads; others are not kept. Without any, no teacher is needed. */
  readonly teacherOutputs: readonly (keyof ModelOutputs)[];
  /**
   * False for a loss that reads `features`, `hidden`, `attention`, `scores` or `relations` of texts and compares
   * nothing token by token: it may then learn from a teacher with another tokenizer.
   */
  readonly tokenwise?: boolean;
  /**
   * True for a loss that may learn from mixed images (`augment.mixup` and `cutmix`): one that reads no label, or beside
   * `label` the batch's `other label` and `other share`, the other's part of each image. Others are refused then.
   */
  readonly mixed?: boolean;
  /**
   * `"some"` for a loss that learns from labels and leaves out examples without one, whose label is -1 (0 in a
   * regression) and whose `labelled` is 0: it is refused where no training example has a label. Any other loss is taken
   * for one that learns from the teacher alone: where examples lack labels, it is refused when it reads `label`.
   */
  readonly labels?: "some";
  /**
   * True for a loss of `labels: "some"` that learns from examples without a label, too: it needs labels for something
   * else, such as the centres of classes.
   */
  readonly unlabelled?: boolean;
  /**
   * What the mean runs over where that is not a number for each answer, of an example or, in tagging, of a word with a
   * label: `"tokens"` of texts or pairs of them, padding left out, `"examples"` also where words have labels, or a
   * `"batch"` whose examples are held against each other. Of such a loss `train.accumulate` says where it is not exact.
   */
  readonly meanOver?: "tokens" | "examples" | "batch";
  /** Of a loss that is 0 at first the epochs after which it is not; a run that has no more says so. */
  readonly begins?: number;
  /** Of a loss that reads `topLogits` the temperatures for which it reads their `rest`. */
  readonly temperatures?: readonly number[];
  /**
   * True for a loss that runs the teacher itself before training (`overTrainingBatches`), of which no `teacher.cache`
   * keeps anything.
   */
  readonly runsTeacher?: boolean;
  /** Learned tensors of the loss itself, such as projections. They are trained and not exported. */
  readonly parameters?: readonly ParameterSpec[];
  /** Tensors that the loss keeps from step to step, such as running centres. They are part of checkpoints. */
  readonly state?: readonly StateSpec[];
  /** Fills the state before training. A resumed run calls it, too, and then puts its checkpoint's state in place. */
  prepare?(call: PrepareCall): Promise<void>;
  /**
   * Further tensors of a step's batch that are made on the host, seen by this loss alone: the examples' numbers for a
   * memory bank, negatives drawn at random. Their shapes depend on the size of the batch only.
   */
  inputs?(call: InputsCall): Batch<HostTensor>;
  /**
   * A scalar: the mean over the batch. It is left out at steps where the loss's weight is 0. It may overwrite state by
   * `ops.assign` too, if nothing that it differentiates reads the old numbers. It always runs within the body of
   * `ops.differentiate`, so that it may take gradients itself (`ops.gradient`).
   */
  compute(call: LossCall): Tensor;
  /**
   * Looks at a step's outputs to update the state by `ops.assign`; nothing in it is differentiated. It comes after the
   * `compute` of all losses, and also at steps where the loss's weight is 0. The gradients are still to be computed: a
   * tensor of the state that `compute` multiplies with, say, keeps its numbers here, and changes in `endEpoch`.
   */
  observe?(call: LossCall): void;
  /** Updates the state after the last step of an epoch. @returns scalars to be logged, by name */
  endEpoch?(call: EpochCall): Readonly<Record<string, Tensor>>;
}

/** A distillation loss. */
// deno-lint-ignore no-explicit-any
export interface LossDefinition<Options = any> extends PluginDefinition<"loss", Options> {
  /** The loss for one run. @throws UserError if the options do not fit the models */
  create(options: Options, setup: LossSetup): Loss | Promise<Loss>;
}

/** A loss plug-in; the function only gives the types. */
export function defineLoss<Options>(definition: Omit<LossDefinition<Options>, "kind">): LossDefinition<Options> {
  expectArguments("defineLoss", { definition: [definition, "a map"] });
  return { kind: "loss", ...definition };
}
