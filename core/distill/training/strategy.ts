import type { Random } from "../../data/random.ts";
import type { Progress } from "../../nn/schedules.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Batch, HostTensor } from "../../plugin/dataset.ts";
import type { ForwardCall, LayerOutputs } from "../../plugin/model.ts";
import type { Recorder } from "../../replay/recorder.ts";
import type { Tensor } from "../../tensor.ts";
import type { ParameterGroups } from "./parameter_group.ts";

/** A training step that is about to be taken. */
export interface StepAhead {
  /** Its batches, usually one. */
  readonly batches: readonly Batch<HostTensor>[];
  readonly progress: Progress;
  /** What it draws for the student's weights, as it is uploaded with a batch; see {@link withoutDrawn}. */
  readonly drawn: Batch<HostTensor>;
  /** Depends on seed and step only. */
  readonly random: Random;
  /** Runs what repeats from step to step, and replays it. */
  readonly recorder: Recorder;
  /** What the step will update. */
  readonly groups: ParameterGroups;
  /** The bound on the norm of a gradient, or `null`. */
  readonly clip: number | null;
  /** A loss of the student with what else the step minimises: the decay of merged matrices. */
  readonly regularised: (loss: Tensor, weights: Weights) => Tensor;
}

/**
 * What a training does beside the student's own steps: another step of somebody else's before each, or other layers in
 * the place of the student's. All of it is optional; nothing of it is plain training.
 */
export interface Strategy {
  /** Whether the student's gradient is bounded where the recipe leaves that open. */
  readonly boundsGradient?: boolean;
  /** The tensors beside the student's that the next step depends on, by the names that they have in a checkpoint. */
  readonly tensors?: ReadonlyMap<string, Tensor>;
  /** What is decided anew for each step; steps of which it differs are recorded apart. */
  draw?(progress: Progress, random: Random): string;
  /**
   * What the student's forward pass asks for its layers.
   *
   * @param drawn what `draw` gave
   */
  replaceLayer?(
    drawn: string,
    call: Pick<ForwardCall, "ops" | "batch" | "randomSeed">,
  ): (layer: number, x: Tensor) => LayerOutputs | null;
  /** Brings what the next step needs into memory. */
  fetch?(progress: Progress): Promise<void>;
  /** Is done before the student's step. It may write the groups' gradients, and changes nothing else of theirs. */
  before?(ahead: StepAhead): void;
  /** Is told that `tensors` were given other numbers from outside. */
  restored?(): void;
}

/** Plain training. */
export const PLAIN: Strategy = {};
