import type { Evaluation } from "../evaluate/evaluate.ts";
import { labelledOf } from "../plugin/labelled.ts";
import { countTrained } from "../plugin/parameters.ts";
import { VERSION } from "../version.ts";
import { countTestCopies } from "./copies.ts";
import { countFlipped } from "./label_noise.ts";
import type { RunParts } from "./open_run.ts";
import type { ExportedStudent } from "./student/export_student.ts";
import type { RunSummary } from "./summary/summary.ts";
import type { TrainingResult } from "./training/training.ts";

/** The measurements of a run; `null` where nothing was measured. */
export interface Measured {
  /** The teacher on the test set. */
  readonly taught: Evaluation | null;
  /** The exported student on the test set. */
  readonly test: Evaluation;
  /** On the validation examples. */
  readonly validation: Evaluation | null;
  /** On the training examples. */
  readonly seen: Evaluation | null;
}

/** Puts together what a run came to. */
export function summarise(
  { id, ops: { backend }, recipe: { value: settings }, data, heldOut, teacher, student, widths, watch }: RunParts,
  { taught, test, validation, seen }: Measured,
  exported: ExportedStudent,
  { steps, epochs, losses, lossMetrics, lossScale }: TrainingResult,
): RunSummary {
  // Channels that went step by step are of what is exported alone.
  const [training, inference] = [student.trainingParameters, countTrained(exported.model)];
  const { factors } = exported;
  const { prune } = settings.student;
  const testCopies = countTestCopies(data, heldOut);
  return {
    recipe: settings.name,
    run: id,
    version: VERSION,
    backend: backend.name,
    device: backend.description,
    seed: settings.seed,
    examples: { train: data.train.length, validation: data.validation?.length ?? 0, test: data.test.length },
    labelled: {
      train: labelledOf(data.train),
      validation: data.validation ? labelledOf(data.validation) : 0,
      test: labelledOf(data.test),
    },
    ...testCopies !== null && { testCopies },
    ...settings.labelNoise && { wrongLabels: countFlipped(settings, labelledOf(data.train)) },
    skipped: data.dataset.skipped ?? [],
    dataSha256: data.sha256,
    positiveClass: test.positiveClass,
    teacher: teacher && taught && {
      accuracy: taught.accuracy,
      loss: taught.loss,
      metrics: taught.metrics,
      classes: taught.classes,
      parameters: countTrained(teacher.model),
    },
    student: {
      accuracy: test.accuracy,
      loss: test.loss,
      metrics: test.metrics,
      classes: test.classes,
      spans: test.spans,
      validationAccuracy: validation?.accuracy ?? null,
      trainMetrics: seen?.metrics ?? null,
      validationMetrics: validation?.metrics ?? null,
      parametersTraining: training,
      parametersInference: inference,
      parameterIncreaseRate: training / inference,
    },
    ...prune && {
      pruning: {
        method: prune.method,
        structure: prune.structure,
        nonZeros: inference -
          Object.values(exported.pruned).reduce((sum, { numbers, nonZeros }) => sum + numbers - nonZeros, 0),
        weights: exported.pruned,
        widths: exported.widths ?? widths ?? {},
      },
    },
    ...factors && { factors: { weights: factors.weights, maxAbsLogitDifference: factors.difference } },
    merge: {
      maxAbsLogitDifference: exported.difference,
      tolerance: settings.verify.tolerance,
      probe: Math.min(settings.verify.probe, data.test.length),
    },
    seconds: watch.seconds,
    steps,
    epochs,
    peakBytes: backend.memory().peakBytes,
    losses,
    lossMetrics,
    precision: settings.train.precision,
    lossScale,
    norms: exported.norms,
    studentSha256: exported.sha256,
    studentBytes: exported.bytes,
  };
}
