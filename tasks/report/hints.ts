import { classNumbers } from "./class_numbers.ts";
import type { RunFiles } from "./read_run.ts";

const points = (part: number) => `${(100 * part).toFixed(1)} points`;

/** A difference of a metric that is no part of a whole stands as it is. */
const differenceIn = (metric: string) => CORRELATIONS.includes(metric) ? (value: number) => value.toFixed(3) : points;

const CORRELATIONS = ["matthews", "pearson", "spearman"];

/** What a run's numbers suggest to try, a sentence each; what it warned of says that itself. */
export function hints({ log, summary, record, settings }: RunFiles): string[] {
  const [metric = "accuracy"] = Object.keys(summary?.student.metrics ?? {});
  const shown = differenceIn(metric);
  const validated = log.flatMap(({ validation }) => {
    const score = validation && Object.entries(validation).find(([name]) => name !== "loss")?.[1];
    return typeof score === "number" ? [score] : [];
  });
  const told: string[] = [];
  const last = validated.at(-1) ?? 0;
  const best = Math.max(...validated);
  const train = (settings.train ?? {}) as { readonly restoreBest?: boolean };
  if (validated.length >= 4 && best - last > 0.01 && !train.restoreBest) {
    told.push(
      `The best epoch was ${shown(best - last)} above the last on validation examples: train.restoreBest: true ends ` +
        "with the weights of the best, and a schedule that falls to 0 makes the last ones steadier.",
    );
  }
  const before = validated[Math.floor(validated.length * 3 / 4) - 1];
  if (validated.length >= 4 && best === last && last - before > 0.01) {
    told.push(
      `The last quarter of the epochs still gained ${
        points(last - before)
      } on validation examples, as it often does while the rate falls: a run with twice the train.epochs tells whether ` +
        "more of them help.",
    );
  }
  const gap = (summary?.teacher?.metrics[metric] ?? NaN) - (summary?.student.metrics[metric] ?? NaN);
  if (gap > 0.03 && metric !== "agreement") {
    told.push(
      `The student is ${shown(gap)} below its teacher: what it starts from (student.initialise) is worth most, then ` +
        "more epochs, then its size; compare tells how much each is.",
    );
  }
  const error = record?.calibration.student?.error ?? 0;
  if (error > 0.05) {
    told.push(
      `The student's probabilities are off by ${points(error)} in the mean: before they decide anything, hold them ` +
        "against examples of your own; its order of the classes is not touched by it.",
    );
  }
  const classes = record?.truth === "labels" && record.task !== "regression" ? classNumbers(record) : [];
  const seen = classes.filter(({ examples }) => examples >= 10);
  const mean = seen.reduce((sum, { recall }) => sum + recall!, 0) / seen.length;
  const poor = seen.filter(({ recall }) => recall! < mean / 2).map(({ label }) => label);
  if (poor.length > 0) {
    const names = poor.length > 5 ? `${poor.slice(0, 5).join(", ")} and ${poor.length - 5} more` : poor.join(", ");
    const balance = record!.task === "classification"
      ? ", and where a class is rare in training, train.sampler: balanced shows it as often as the others"
      : "";
    told.push(
      `The recall of ${names} is less than half of the mean over the classes: look at the mistakes below${balance}.`,
    );
  }
  return told;
}
