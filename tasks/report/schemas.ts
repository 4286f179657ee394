import { z } from "zod";

// What is read may have been changed by the disk, or by a hand. A number that was not finite is null in JSON.
const number = z.number().nullable();
const numbers = z.record(z.string(), number);
const pair = z.tuple([number, number]);

/** A line of `metrics.jsonl`. */
export const logLineSchema = z.looseObject({
  step: z.number(),
  epoch: z.number(),
  loss: number.optional(),
  losses: numbers.optional(),
  accuracy: number.optional(),
  norms: numbers.optional(),
  validation: numbers.optional(),
  diagnostics: z.looseObject({
    agreement: number,
    matrices: z.record(z.string(), z.looseObject({ relativeStep: number, effectiveRank: number })),
  }).optional(),
});

const model = z.looseObject({ loss: number, metrics: numbers });
const splits = z.looseObject({ test: z.number() });

/** Of `metrics.json` what a page shows. */
export const summarySchema = z.looseObject({
  run: z.string(),
  version: z.string(),
  backend: z.string(),
  device: z.string(),
  seed: z.number(),
  examples: splits,
  // Older versions did not say it.
  labelled: splits.optional(),
  positiveClass: z.string().nullable(),
  teacher: model.extend({ parameters: z.number() }).nullable(),
  student: model.extend({
    parametersTraining: z.number(),
    parametersInference: z.number(),
    parameterIncreaseRate: z.number(),
  }),
  merge: z.looseObject({ maxAbsLogitDifference: z.number() }),
  seconds: z.record(z.string(), z.number()).and(z.looseObject({ total: z.number() })),
  steps: z.number(),
  peakBytes: z.number(),
  export: z.looseObject({
    onnx: z.array(z.looseObject({
      file: z.string(),
      precision: z.string(),
      bytes: z.number(),
      operators: z.record(z.string(), z.number()),
      foldedBatchNorms: z.number(),
      check: z.looseObject({ maxAbsLogitDifference: z.number(), largestLogit: z.number() }),
      milliseconds: z.looseObject({ onnx: z.number(), own: z.number() }),
      metrics: z.looseObject({ onnx: numbers, own: numbers }).nullable(),
    })),
  }).optional(),
});

const calibration = z.looseObject({
  error: z.number(),
  bins: z.array(z.looseObject({ count: z.number(), certainty: z.number(), right: z.number() })),
}).nullable();

const example = z.looseObject({
  index: z.number(),
  source: z.string().nullable(),
  certainty: number,
  picture: z.looseObject({
    height: z.number().int().min(1).max(1000),
    width: z.number().int().min(1).max(1000),
    channels: z.literal([1, 3]),
    pixels: z.base64(),
  }).refine(({ height, width, channels, pixels }) => atob(pixels).length === height * width * channels).nullable(),
  tokens: z.looseObject({ numbers: z.array(z.number()), at: number }).nullable(),
});

/** `record.json`. */
export const recordSchema = z.looseObject({
  run: z.string(),
  task: z.enum(["classification", "regression", "tagging", "multi-label"]),
  classes: z.array(z.string()),
  warnings: z.array(z.string()),
  overParameterised: z.number(),
  matrices: z.array(z.looseObject({
    name: z.string(),
    shape: z.tuple([z.number(), z.number()]),
    cores: z.number(),
    heldAs: z.string().optional(),
    increaseRate: z.number(),
    norms: pair,
    effectiveRanks: pair,
    singularValues: z.tuple([z.array(number), z.array(number)]),
    relativeStep: number,
  })),
  truth: z.enum(["labels", "teacher"]).nullable(),
  confusion: z.array(z.tuple([z.number(), z.number(), z.number()])).nullable(),
  labels: z.array(z.looseObject({ examples: z.number(), predicted: z.number(), correct: z.number() })).nullable(),
  spans: z.array(
    z.looseObject({ type: z.string(), spans: z.number(), precision: z.number(), recall: z.number(), f1: z.number() }),
  ).nullable(),
  mistakes: z.array(
    z.looseObject({ truth: number, decided: number, count: z.number(), examples: z.array(example) }),
  ),
  points: z.array(z.tuple([z.number(), z.number()])).nullable(),
  calibration: z.looseObject({ student: calibration, teacher: calibration }),
  agreement: z.looseObject({
    answers: z.number(),
    alike: z.number(),
    labelled: z.number(),
    bothRight: z.number(),
    onlyStudentRight: z.number(),
    onlyTeacherRight: z.number(),
  }).nullable(),
}).refine(namesClasses, { path: ["classes"] });

/** Whether every class that is spoken of has a name. */
function namesClasses(
  { classes, task, confusion, labels, mistakes }: {
    readonly classes: readonly string[];
    readonly task: string;
    readonly confusion: readonly (readonly number[])[] | null;
    readonly labels: readonly unknown[] | null;
    readonly mistakes: readonly { readonly truth: number | null; readonly decided: number | null }[];
  },
): boolean {
  const isClass = (label: number | null) => label === null || classes[label] !== undefined;
  return (confusion ?? []).every(([truth, decided]) => isClass(truth) && isClass(decided)) &&
    (labels === null || labels.length === classes.length) &&
    (task === "regression" || mistakes.every(({ truth, decided }) => isClass(truth) && isClass(decided)));
}

const warmUp = { warmupSteps: z.number(), warmupEpochs: z.number() };

/** Of a recipe what the learning rate of each step follows from. */
export const rateSchema = z.looseObject({
  epochs: z.number(),
  maxSteps: z.number().nullable(),
  optimiser: z.looseObject({ use: z.string(), learningRate: z.number() }),
  schedule: z.discriminatedUnion("use", [
    z.looseObject({ use: z.literal("constant"), ...warmUp }),
    z.looseObject({ use: z.enum(["linear", "cosine"]), final: z.number(), ...warmUp }),
    z.looseObject({ use: z.literal("steps"), milestones: z.array(z.number()), factor: z.number(), ...warmUp }),
  ]),
});
