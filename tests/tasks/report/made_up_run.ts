import type { RunRecord } from "../../../core/distill/record/record.ts";
import type { RunSummary } from "../../../core/distill/summary/summary.ts";
import type { LogLine } from "../../../tasks/report/log.ts";
import type { RunFiles } from "../../../tasks/report/read_run.ts";

const bins = Array.from({ length: 15 }, (_, index) => ({ count: index, certainty: index / 15, right: 0.5 }));

/** What a run with three classes may have recorded. */
export const record: RunRecord = {
  run: "0123456789ab",
  task: "classification",
  classes: ["cat", "dog", "owl"],
  warnings: [],
  overParameterised: 1,
  matrices: [{
    name: "layer.weight",
    shape: [2, 3],
    cores: 3,
    increaseRate: 2.5,
    norms: [1, 2],
    effectiveRanks: [1.9, 1.5],
    singularValues: [[1, 0.5], [2, 0.25]],
    relativeStep: 1.25,
  }],
  truth: "labels",
  confusion: [[0, 0, 5], [0, 1, 2], [1, 1, 3]],
  labels: null,
  spans: null,
  mistakes: [{
    truth: 0,
    decided: 1,
    count: 2,
    examples: [{
      index: 4,
      source: "test.csv 5",
      picture: { height: 1, width: 2, channels: 1, pixels: btoa("\x00\xff") },
      tokens: null,
      certainty: 0.9,
    }],
  }],
  points: null,
  calibration: { student: { bins, error: 0.1 }, teacher: { bins, error: 0.01 } },
  agreement: { answers: 10, alike: 8, labelled: 10, bothRight: 7, onlyStudentRight: 1, onlyTeacherRight: 1 },
};

/** What such a run came to. */
export const summary = {
  recipe: "made up",
  run: record.run,
  version: "0.0.0",
  backend: "cpu",
  device: "a machine",
  seed: 3,
  examples: { train: 20, validation: 5, test: 10 },
  labelled: { train: 20, validation: 5, test: 10 },
  positiveClass: null,
  teacher: { accuracy: 0.9, loss: 0.3, metrics: { accuracy: 0.9, f1Macro: 0.85 }, parameters: 1000 },
  student: {
    accuracy: 0.8,
    loss: 0.5,
    metrics: { accuracy: 0.8, f1Macro: 0.7 },
    parametersTraining: 300,
    parametersInference: 100,
    parameterIncreaseRate: 3,
  },
  merge: { maxAbsLogitDifference: 1e-6, tolerance: 1e-3, probe: 10 },
  seconds: { load: 1, train: 8, total: 9.5 },
  steps: 4,
  epochs: 2,
  peakBytes: 1e6,
  losses: { "cross-entropy": 0.5 },
} as unknown as RunSummary;

export const log: readonly LogLine[] = [1, 2, 3, 4].flatMap((step): LogLine[] => [
  {
    step,
    epoch: step / 2,
    loss: 1 / step,
    losses: { "cross-entropy": 0.5 / step, kd: 0.5 / step },
    accuracy: step / 5,
    norms: { "layer.weight": step },
  },
  ...(step % 2 === 0 ? [{ step, epoch: step / 2, validation: { accuracy: step / 5, loss: 1 / step } }] : []),
]);

/** A finished run, or one that differs. */
export function madeUpRun(change: Partial<RunFiles> = {}): RunFiles {
  return {
    folder: "run",
    recipe: "# run 0123456789ab\nname: made up\n",
    settings: {
      name: "made up",
      train: {
        epochs: 2,
        maxSteps: null,
        schedule: { use: "cosine", final: 0, warmupSteps: 0, warmupEpochs: 0 },
        optimiser: { use: "sgd", learningRate: 0.1 },
      },
    },
    log,
    summary,
    record,
    canGoOn: true,
    failure: null,
    assessment: null,
    bytes: 1234,
    vocabulary: null,
    ...change,
  };
}
