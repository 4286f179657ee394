import { learningRateAt } from "../../core/nn/schedules.ts";
import { titleOf } from "../../core/evaluate/metrics/show.ts";
import { type Child, element, grid, section } from "./elements.ts";
import { type LogLine, stepsPerEpoch } from "./log.ts";
import { type Level, type Line, lineChart, type Point, seriesColour } from "./plots.ts";
import type { RunFiles } from "./read_run.ts";
import { rateSchema } from "./schemas.ts";

/** The colour of the teacher in all charts, and those of training and validation. */
export const TEACHER = "var(--series-3)", TRAINING = seriesColour(0), VALIDATION = seriesColour(1);

const EPOCH = "epoch";

/** F1 over all classes together is the accuracy, where an example has one class. */
const FURTHER = ["f1Macro"];

/** Losses, metrics and the learning rate over training. */
export function curves({ log, summary, settings }: RunFiles): Child {
  const steps = stepsPerEpoch(log);
  const points = (value: (line: LogLine) => number | null | undefined): Point[] =>
    log.flatMap((line) => {
      const y = value(line);
      return y === undefined ? [] : [[line.step / steps, y ?? NaN] as const];
    });
  const training = log.filter(({ loss }) => loss !== undefined);
  const terms = [...new Set(training.flatMap(({ losses }) => Object.keys(losses ?? {})))];
  const metrics = [...new Set(log.flatMap(({ validation }) => Object.keys(validation ?? {})))]
    .filter((name) => name !== "loss" && titleOf(name, null, FURTHER) !== null);
  const positive = summary?.positiveClass ?? null;
  const level = (name: string, y: number | null | undefined, colour: string): Level[] =>
    typeof y === "number" ? [{ name, y, colour }] : [];
  const tested = (metric: string): Level[] => [
    ...level("teacher on test", summary?.teacher?.metrics[metric], TEACHER),
    ...level("student on test", summary?.student.metrics[metric], seriesColour(3)),
  ];
  const validation = (name: string): Line => {
    return { name: "validation", points: points(({ validation }) => validation?.[name]), colour: VALIDATION };
  };
  const isShare = (name: string) => !["matthews", "pearson", "spearman"].includes(name);
  const own = training.some(({ accuracy }) => accuracy !== null)
    ? [{ name: "training", points: points(({ accuracy }) => accuracy), colour: TRAINING }]
    : [];
  const loss = "cross-entropy";
  const entropy = terms.find((term) => term === loss);
  return section(
    "How it learned",
    grid(
      "charts",
      (metrics.includes("accuracy") ? metrics : ["accuracy", ...metrics]).map((name) =>
        lineChart({
          title: titleOf(name, positive, FURTHER)!,
          xLabel: EPOCH,
          lines: [...(name === "accuracy" ? own : []), validation(name)],
          levels: tested(name),
          format: isShare(name) ? ".1~%" : undefined,
        })
      ),
      lineChart({
        title: "Loss on validation examples",
        note: entropy && "beside the same loss in training, on changed images or with dropout",
        xLabel: EPOCH,
        lines: [
          ...(entropy
            ? [{ name: "training", points: points(({ losses }) => losses?.[entropy]), colour: TRAINING }]
            : []),
          validation("loss"),
        ],
        levels: level("teacher on test", summary?.teacher?.loss, TEACHER),
      }),
      lineChart({
        title: "Loss in training",
        note: terms.length > 1 ? "the weighted sum of its terms: what is minimised" : "what is minimised",
        xLabel: EPOCH,
        lines: [{ name: "training", points: points(({ loss }) => loss), colour: TRAINING }],
      }),
      learningRate(settings, training, steps),
    ),
    terms.length > 1
      ? [
        element("h3", {}, "The terms of the loss, before their weights"),
        grid(
          "panels",
          terms.map((term) =>
            lineChart({
              title: term,
              xLabel: EPOCH,
              small: true,
              lines: [{ name: term, points: points(({ losses }) => losses?.[term]), colour: TRAINING }],
            })
          ),
        ),
      ]
      : null,
  );
}

/** The rate of each step, as the schedule has it. */
function learningRate(
  settings: RunFiles["settings"],
  training: readonly LogLine[],
  stepsPerEpoch: number,
): HTMLElement | null {
  const { data: train } = rateSchema.safeParse(settings.train);
  const last = training.at(-1)?.step;
  if (!last || !train) return null;
  const total = Math.min(train.epochs * stepsPerEpoch, train.maxSteps ?? Infinity);
  const every = Math.max(1, Math.floor(last / 200));
  const steps = Array.from({ length: Math.ceil(last / every) }, (_, index) => index * every);
  const { use, learningRate } = train.optimiser;
  const points = steps.map((step): Point => {
    return [step / stepsPerEpoch, learningRateAt(train.schedule, step, Math.round(total), stepsPerEpoch, learningRate)];
  });
  return lineChart({
    title: "Learning rate",
    note: `of ${use}; chains and layers may have multiples of it`,
    xLabel: EPOCH,
    fromZero: true,
    lines: [{ name: "learning rate", points, colour: TRAINING }],
  });
}
