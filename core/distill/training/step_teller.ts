import type { Ops } from "../../ops/ops.ts";
import type { LossSet } from "../losses/loss_set.ts";
import type { Reporter } from "../progress.ts";
import { GrowthWarning } from "./growth_warning.ts";
import { disposeStep, type LoggedSteps, type MetricsLog, readSteps } from "./step_log.ts";
import type { Student } from "../student/student.ts";
import type { StepRecord, TrainingStep } from "./training_step.ts";

/** The parts of a training that a {@link StepTeller} reports on, and its listeners. */
export interface TellerSetup {
  readonly ops: Ops;
  readonly student: Student;
  readonly losses: LossSet;
  readonly step: TrainingStep;
  readonly log: MetricsLog;
  readonly reporter: Reporter;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
}

/** Keeps what steps leave on the device until a line of the log is due, then reads it in one wait and tells it. */
export class StepTeller {
  #pending: StepRecord[] = [];
  #intervalStarted = 0;
  readonly #growth: GrowthWarning;

  constructor(private readonly setup: TellerSetup) {
    const { student, step, reporter } = setup;
    this.#growth = new GrowthWarning(student.initialNorms, step.clip, reporter);
  }

  /** Takes what a step left. */
  add(record: StepRecord): void {
    this.#pending.push(record);
  }

  /** Begins to count the time that the next line's steps take. */
  startInterval(): void {
    this.#intervalStarted = performance.now();
  }

  /** Reads the steps since the last reading; `null` if there are none. */
  async read(): Promise<LoggedSteps | null> {
    if (this.#pending.length === 0) return null;
    const records = this.#pending;
    this.#pending = [];
    return await readSteps(this.setup.ops, records);
  }

  /**
   * Writes a line of the log and reports it.
   *
   * @param seconds of training so far
   */
  async tell(logged: LoggedSteps, seconds: number): Promise<void> {
    const { step, loss, terms, accuracy, examples, norms: values, lossScale } = logged;
    const { student, losses, log, reporter, totalSteps, stepsPerEpoch } = this.setup;
    const norms = Object.fromEntries([...student.overParameterised.keys()].map((name, index) => [name, values[index]]));
    if (values.length > 0) this.#growth.check(norms);
    const examplesPerSecond = examples / ((performance.now() - this.#intervalStarted) / 1000);
    this.startInterval();
    await log.write({
      step,
      epoch: step / stepsPerEpoch,
      loss,
      losses: losses.byName(terms),
      accuracy,
      learningRate: this.setup.step.learningRate({ step: step - 1, totalSteps, stepsPerEpoch }),
      norms,
      ...lossScale && { lossScale },
      examplesPerSecond,
    });
    reporter.progress({
      step,
      totalSteps,
      epoch: Math.ceil(step / stepsPerEpoch),
      epochs: Math.ceil(totalSteps / stepsPerEpoch),
      loss,
      accuracy,
      examplesPerSecond,
      secondsLeft: seconds / step * (totalSteps - step),
    });
  }

  dispose(): void {
    this.#pending.forEach(disposeStep);
  }
}
