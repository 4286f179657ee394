import { batchSize, bounded, epochCount, epochLength, epsilonSchema, stepCount, temperatureSchema } from "./bounds.ts";
import { z } from "zod";
import type { LearningRateSchedule } from "../nn/schedules.ts";
import { scheduled } from "./scheduled.ts";
import { layerPatterns } from "./layer_patterns.ts";

const learningRate = bounded(
  z.number().min(1e-30).max(1e3),
  "a smaller one changes no weight, and a larger one leaves none finite",
);
const weightDecay = bounded(
  z.number().min(0).max(100),
  "more than that takes weights past 0",
);
const rate = z.number().min(0).lt(1);

/** The alternative that is meant when none is named; `optional` is what lets a union find it by a missing key. */
const defaultChoice = <Name extends string>(name: Name) =>
  z.literal(name).optional().default(name as z.core.util.NoUndefined<Name>);

const optimiser = z.discriminatedUnion("use", [
  z.strictObject({
    use: defaultChoice("sgd").describe("Stochastic gradient descent"),
    learningRate: learningRate.default(0.1).describe("Learning rate that the schedule scales"),
    momentum: rate.default(0.9).describe("Momentum; 0 for none"),
    nesterov: z.boolean().default(false).describe("Nesterov's form of momentum"),
    weightDecay: weightDecay.default(5e-4).describe("L2 penalty's factor, added to the gradient"),
  }).refine(({ nesterov, momentum }) => !nesterov || momentum > 0, {
    error: "Expected a momentum > 0 for nesterov: got 0",
    path: ["momentum"],
  }),
  z.strictObject({
    use: z.literal("adamw").describe("Adam with decoupled weight decay"),
    learningRate: learningRate.default(1e-3).describe("Learning rate that the schedule scales"),
    betas: z.tuple([rate, rate]).default([0.9, 0.999]).describe("Decay rates of the two moment averages"),
    epsilon: epsilonSchema.default(1e-8).describe("Added to the denominator"),
    weightDecay: weightDecay.default(0.01).describe("Decoupled weight decay, times the learning rate"),
  }),
]);

const warmUp = {
  warmupSteps: bounded(z.int().min(0).max(1e9), "no training has more steps").default(0).describe(
    "Training steps over which the learning rate rises to its full value",
  ),
  warmupEpochs: epochLength.default(0).describe("The same in epochs (fractions allowed), instead of warmupSteps"),
};
const final = z.number().min(0).max(1).default(0).describe("Learning rate at the end, as a part of the full one");

const schedule = z.discriminatedUnion("use", [
  z.strictObject({ use: z.literal("constant").describe("The full learning rate throughout"), ...warmUp }),
  z.strictObject({ use: defaultChoice("cosine").describe("Half a cosine wave down to final"), final, ...warmUp }),
  z.strictObject({ use: z.literal("linear").describe("A straight line down to final"), final, ...warmUp }),
  z.strictObject({
    use: z.literal("steps").describe("Multiplied by factor at each milestone"),
    milestones: z.array(epochLength.positive()).min(1).describe("Epochs from the start of training"),
    factor: z.number().positive().lt(1).default(0.1).describe("What the learning rate is multiplied by"),
    ...warmUp,
  }),
]).refine(({ warmupSteps, warmupEpochs }) => warmupSteps === 0 || warmupEpochs === 0, {
  error: "Expected only one of warmupSteps and warmupEpochs: got both",
}) satisfies z.ZodType<LearningRateSchedule>;

/** A learning rate as a multiple of the others'. */
const rateScale = bounded(z.number().min(0).max(1e6), "beside that the other weights would stand still, or these");

const cores = z.strictObject({
  learningRateScale: rateScale.positive().default(1).describe(
    "Learning rate of the cores as a multiple of the others'; with adamw and fresh weights about 0.3 does better than 1",
  ),
  weightDecay: weightDecay.nullable().default(null).describe("Weight decay of the cores; null: the optimiser's"),
  weightDecayTarget: z.enum(["cores", "merged", "none"]).default("cores").describe(
    "What weight decay shrinks: each core, the merged matrix (its gradient goes through the chain), or nothing",
  ),
});

const layerRate = z.strictObject({
  layers: layerPatterns.describe("Pattern of weight names, or a list of them, as in student.overParameterise"),
  scale: rateScale.describe("Learning rate of these weights as a multiple of the others'; 0 freezes them"),
});

const diagnostics = z.strictObject({
  layers: layerPatterns.describe(
    "Weights to look at: chains (merged) or plain ones, each as outputs x everything else",
  ),
  singularValues: bounded(z.int().min(1).max(1000), "each is a column of the log").default(3).describe(
    "How many of the largest singular values are written down",
  ),
});

const theseus = z.strictObject({
  replacingRate: scheduled(z.number().min(0).max(1)).default({
    from: 0.5,
    to: 1,
    schedule: "linear",
    epochs: null,
    steps: null,
  }).describe("Probability that a layer of the student computes in a training step, instead of the teacher's layers"),
});

const lgtm = z.strictObject({
  teacherRate: learningRate.default(3e-5).describe(
    "Learning rate of the teacher, by train.optimiser and on train.schedule",
  ),
  alpha: z.number().min(0).max(1).default(0.4).describe(
    "Part of the teacher's loss that is KL(student || teacher); the rest is its cross-entropy with the labels",
  ),
  temperature: temperatureSchema.default(1).describe("Temperature of that divergence, whose square is no factor"),
  heldOut: z.number().positive().lt(1).default(0.1).describe(
    "Part of the training examples on which the student does not train: by them the teacher is told what helps it",
  ),
});

const earlyStopping = z.strictObject({
  patience: epochCount.default(5).describe("Epochs without improvement after which training stops"),
  minDelta: bounded(z.number().min(0).max(1e6), "no metric improves by more").default(0).describe(
    "The least change of the monitored metric that is an improvement",
  ),
});

const gradientNorm = bounded(
  z.number().min(1e-9).max(1e9),
  "a step of a gradient cut to less changes nothing, and no gradient of use is longer",
);

/** How the student is trained. */
export const trainSchema = z.strictObject({
  epochs: epochCount.describe("Passes over the training data"),
  maxSteps: stepCount.nullable().default(null).describe(
    "Training stops after this many steps; null: no such limit",
  ),
  batchSize: batchSize.default(128).describe(
    "Examples that are computed at once: a training step, unless it accumulates",
  ),
  accumulate: bounded(z.int().min(1).max(4096), "more would make one step of all that anyone has").default(1).describe(
    "Batches per training step, whose gradients are added up: the step of a batch so many times larger, in the memory of one " +
      "(for losses that are means over its answers)",
  ),
  dropLast: z.boolean().default(false).describe(
    "Leave out the last batch of an epoch if it is smaller than the others",
  ),
  optimiser: optimiser.prefault({}).describe("Optimiser"),
  cores: cores.prefault({}).describe(
    "Settings of the cores of over-parameterised weights, or what else they are trained as, apart from the other weights",
  ),
  layerRates: z.array(layerRate).default([]).describe(
    "Learning rates of some weights (and of all that is trained in the place of one); of several entries the first that matches counts",
  ),
  bucketByLength: z.boolean().default(true).describe(
    "Make batches of texts that are about as long, so that little is padded; images are all of one size",
  ),
  sampler: z.enum(["shuffled", "balanced"]).default("shuffled").describe(
    "Which examples an epoch has: each once, or as many of each class (the same number of steps), a small class's several times",
  ),
  schedule: schedule.prefault({}).describe("Learning-rate schedule"),
  clipGradientNorm: z.union([z.literal("auto"), gradientNorm, z.null()]).default("auto").describe(
    "Largest norm of the whole gradient; auto: 1 with chains of 3 or more cores or with theseus, otherwise none; null: none",
  ),
  monitor: z.enum([
    "validation.accuracy",
    "validation.f1",
    "validation.f1Macro",
    "validation.f1Micro",
    "validation.mAP",
    "validation.matthews",
    "validation.pearson",
    "validation.spearman",
    "validation.auc",
    "validation.precision",
    "validation.recall",
    "validation.f1Weighted",
    "validation.precisionMacro",
    "validation.precisionMicro",
    "validation.precisionWeighted",
    "validation.recallMacro",
    "validation.recallMicro",
    "validation.recallWeighted",
    "validation.loss",
    "validation.agreement",
  ]).nullable().default(null).describe(
    "Metric that early stopping and restoreBest go by, taken after each epoch; f1, precision and recall are those " +
      "of evaluate.positiveClass, or of whole spans that tags mark; agreement the part of the examples on which student and teacher decide alike (their " +
      "correlation in a regression), which needs no labels; null: accuracy, f1 of spans, pearson for a regression, " +
      "mAP for several labels, or agreement where no validation example has a label",
  ),
  earlyStopping: earlyStopping.nullable().default(null).describe(
    "Stop when the monitored metric no longer improves; null: never",
  ),
  restoreBest: z.boolean().default(false).describe(
    "End with the weights of the epoch that was best by the monitored metric (better by earlyStopping.minDelta, if set)",
  ),
  logEvery: stepCount.default(10).describe("Training steps between two log lines"),
  diagnostics: diagnostics.nullable().default(null).describe(
    "After each epoch: how far weights moved, their spectra, and how often student and teacher agree; null: none",
  ),
  theseus: theseus.nullable().default(null).describe(
    "Put the frozen layers of the teacher that a layer of the student stands for in its place, at random; null: never",
  ),
  lgtm: lgtm.nullable().default(null).describe(
    "Let the teacher learn, too, before each step of the student, by what helps that on held-out examples; null: never",
  ),
  precision: z.enum(["f32", "f16"]).default("f32").describe(
    "How the student's activations and their gradients are kept: f16 takes half the memory, with dynamic loss scaling, on " +
      "WebGPU adapters with the feature shader-f16; sums, losses and weights stay f32",
  ),
  replay: z.boolean().default(true).describe(
    "Replay a training step's commands where steps repeat, instead of making them anew: same numbers, less time",
  ),
  checkpointEvery: epochCount.nullable().default(1).describe(
    "Epochs between two checkpoints; null: none but on Ctrl-C",
  ),
});
