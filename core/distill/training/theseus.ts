import type { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import { type LayerShare, layerShare } from "../../nn/layer_share.ts";
import type { Progress } from "../../nn/schedules.ts";
import type { Weights } from "../../nn/weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples } from "../../plugin/dataset.ts";
import type { ForwardCall, LayerOutputs, Model } from "../../plugin/model.ts";
import { type Scheduled, valueAt } from "../../recipe/scheduled.ts";
import { showShape, type Tensor } from "../../tensor.ts";
import { uploadBatch } from "../../plugin/batch.ts";
import type { Teacher } from "../teacher/teacher_outputs.ts";
import type { Strategy } from "./strategy.ts";

/** Settings of the replacement of layers. */
export interface TheseusOptions {
  /** Probability that a layer of the student computes in a step. */
  readonly replacingRate: Scheduled;
}

/**
 * Progressive module replacing (BERT-of-Theseus, Xu et al. 2020, arXiv 2002.02925): each layer of the student
 * (successor) stands for as many layers of the teacher (predecessor). In every training step a draw decides for each of
 * them whether the student's layer computes or, frozen, those of the teacher; as the replacing rate rises to 1 the
 * student is left. The teacher's layers run as in evaluation; gradients go through them to what comes before.
 */
export class Theseus implements Strategy {
  /** Gradients come through frozen layers. */
  readonly boundsGradient = true;
  readonly #student: Model;
  readonly #teacher: Teacher;
  /** Of each layer of the student the teacher's layers that it stands for. */
  readonly #shares: readonly LayerShare[];

  /** @throws UserError if there is no teacher, or its layers cannot stand in for the student's */
  constructor(student: Model, teacher: Teacher | null, private readonly options: TheseusOptions) {
    if (!teacher) {
      throw new UserError("Cannot replace layers: there is no teacher whose layers stand in for the student's");
    }
    for (const [who, { runLayer }] of [["student", student], ["teacher", teacher.model]] as const) {
      if (!runLayer) throw new UserError(`Cannot replace layers: those of the ${who}'s model cannot be run alone`);
    }
    this.#student = student;
    this.#teacher = teacher;
    this.#shares = shareOut(student.layerPrefixes?.length ?? 0, teacher.model.layerPrefixes?.length ?? 0);
  }

  /** The student's layers that are replaced in a step: a letter each, `s` for the student's, `t` for the teacher's. */
  draw(progress: Progress, random: Random): string {
    const rate = valueAt(this.options.replacingRate, progress);
    return this.#shares.map(() => random.uniform() < rate ? "s" : "t").join("");
  }

  /**
   * What the student's forward pass is to ask for its layers.
   *
   * @param drawn what {@link draw} gave
   */
  replaceLayer(
    drawn: string,
    call: Pick<ForwardCall, "ops" | "batch" | "randomSeed">,
  ): (layer: number, x: Tensor) => LayerOutputs | null {
    const { model, weights } = this.#teacher;
    const frozen: ForwardCall = { ...call, weights, training: false };
    return (layer, x) => {
      if (drawn[layer] === "s") return null;
      const { begin, end } = this.#shares[layer];
      let outputs: LayerOutputs = { hidden: x };
      for (let own = begin; own < end; own++) outputs = model.runLayer!(frozen, own, outputs.hidden);
      return outputs;
    };
  }

  /**
   * Runs the student with every layer replaced, on one example.
   *
   * @param weights the student's
   * @throws UserError if a layer of the teacher does not take what the student's takes, or gives something of another
   * shape
   */
  check(ops: Ops, weights: () => Weights, examples: Examples): void {
    const randomSeed = () => 0;
    ops.scope(() => {
      const call = { ops, weights: weights(), batch: uploadBatch(ops, examples, Uint32Array.of(0)), randomSeed };
      const own = this.#student.forward({ ...call, training: false });
      const replaceLayer = this.replaceLayer(this.#shares.map(() => "t").join(""), call);
      let hidden: readonly Tensor[];
      try {
        ({ hidden } = this.#student.forward({ ...call, training: false, replaceLayer }));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new UserError(`Cannot replace layers: the teacher's do not fit between the student's: ${error.message}`);
      }
      for (const [layer, { shape }] of hidden.entries()) {
        const wanted = own.hidden[layer].shape;
        if (shape.join() === wanted.join()) continue;
        const { end } = this.#shares[layer];
        throw new UserError(
          `Cannot replace layer ${layer} of the student, which gives ${showShape(wanted)}: the teacher's layer ${
            end - 1
          } ` +
            `gives ${showShape(shape)}`,
        );
      }
    });
  }

  /** The teacher's layers that each of the student's stands for, as a line for the user. */
  describe(): string {
    const shares = this.#shares.map(({ begin, end }) => end - begin === 1 ? `${begin}` : `${begin} to ${end - 1}`);
    return `the student's layers stand for the teacher's layers ${shares.join(", ")}`;
  }
}

/**
 * Divides the teacher's layers among the student's; see {@link layerShare}.
 *
 * @throws UserError if there are none, or fewer of the teacher's than of the student's
 */
export function shareOut(count: number, offered: number): LayerShare[] {
  if (count === 0) throw new UserError("Cannot replace layers: the student has none");
  if (offered < count) {
    throw new UserError(
      `Cannot replace ${count} layers of the student by ${offered} of the teacher: it must have at least as many`,
    );
  }
  return Array.from({ length: count }, (_, layer) => layerShare(layer, count, offered));
}
