import { ADVICE, told } from "./advice.ts";
import { DeviceError } from "../errors.ts";

/** Training was stopped from outside; a checkpoint was written. */
export class Interrupted extends Error {
  static {
    this.prototype.name = "Interrupted";
  }

  /**
   * Says in one line how far training came and how to continue.
   *
   * @param step steps done
   * @param totalSteps steps of the whole training
   * @param checkpoint its file
   */
  constructor(readonly step: number, totalSteps: number, readonly checkpoint: string) {
    super(`Stopped after step ${step} of ${totalSteps}; --resume continues from "${checkpoint}"`);
  }
}

/** A run was stopped from outside before training began. */
export class StoppedEarly extends Error {
  static {
    this.prototype.name = "StoppedEarly";
  }

  /** Says that nothing is lost. */
  constructor() {
    super("Stopped before training began: nothing was written, and the same command begins again");
  }
}

/** A checkpoint in the run folder. */
export interface KeptCheckpoint {
  /** Its path. */
  readonly file: string;
  /** Steps that were done. */
  readonly step: number;
}

/** The device failed under a run. */
export class RunDeviceError extends DeviceError {
  static {
    this.prototype.name = "RunDeviceError";
  }

  /**
   * Says what of the run is kept and how to go on.
   *
   * @param cause what happened to the device
   * @param checkpoint the last one that the run wrote, if there is one
   */
  constructor(cause: DeviceError, checkpoint: KeptCheckpoint | null) {
    const way = checkpoint
      ? `--resume continues after step ${checkpoint.step} from "${checkpoint.file}"`
      : "there is no checkpoint yet, so the run begins anew";
    super(`${cause.message}; ${way}`, { cause });
  }
}

/** Training went wrong: it is neither a mistake in the recipe that a schema could see nor one of this program. */
export class TrainingFailure extends Error {
  static {
    this.prototype.name = "TrainingFailure";
  }
}

/** The same where activations are float16. */
const ADVICE_F16 = `train.precision: f32 goes beyond 65504, where f16 ends, and ${ADVICE}`;

/** A loss, or the weights, became NaN or infinite. */
export class NonFiniteLoss extends TrainingFailure {
  static {
    this.prototype.name = "NonFiniteLoss";
  }

  /**
   * Says what to look at: the step, the first 16 examples of its batch, the last checkpoint.
   *
   * @param what is not finite: "its loss", "the weights"
   * @param step the first that shows it, counted from 1
   * @param indices the examples of that step's batch, numbered from 0 as trained on: without those of the validation
   * set
   * @param checkpoint the last one that was written, with finite weights, if there is one
   * @param precision how activations are kept
   */
  constructor(
    what: string,
    readonly step: number,
    readonly indices: Uint32Array,
    checkpoint: KeptCheckpoint | null,
    precision: "f32" | "f16" = "f32",
  ) {
    const shown = [...indices.slice(0, 16)].join(", ") + (indices.length > 16 ? ", ..." : "");
    const advice = precision === "f16" ? ADVICE_F16 : ADVICE;
    super(
      `Stopped at step ${step} as ${what} not finite; its batch has the examples [${shown}]; ${told(checkpoint)}; ` +
        advice,
    );
  }
}

/** Gradients in float16 are not finite whatever the loss is scaled by. */
export class LossScaleTooSmall extends TrainingFailure {
  static {
    this.prototype.name = "LossScaleTooSmall";
  }

  /**
   * Says what to do.
   *
   * @param step steps done when it was seen
   * @param skipped steps that changed nothing
   * @param checkpoint the last one that was written, if there is one
   */
  constructor(readonly step: number, readonly skipped: number, checkpoint: KeptCheckpoint | null) {
    super(
      `Stopped at step ${step} as gradients are not finite in f16 with any loss scale from 1 on (${skipped} steps ` +
        `skipped); ${told(checkpoint)}; ${ADVICE_F16}`,
    );
  }
}

/** The weights to be exported are not finite numbers. */
export class NonFiniteWeights extends TrainingFailure {
  static {
    this.prototype.name = "NonFiniteWeights";
  }

  /**
   * Names the weight.
   *
   * @param weight the first that is not finite
   */
  constructor(weight: string) {
    super(`Cannot export the student as ${weight} has numbers that are not finite: ${ADVICE}`);
  }
}
