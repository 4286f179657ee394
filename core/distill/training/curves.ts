type Numbers = Readonly<Record<string, number | null>>;

/** What a line of the log may hold: that of a step, or of the end of an epoch. */
export interface LogEntry {
  /** Steps done. */
  readonly step: number;
  readonly [key: string]: unknown;
}

/** Numbers of a step's line that are TensorBoard's curves of the training, by their key. */
const TRAINING: Readonly<Record<string, string>> = {
  accuracy: "train/accuracy",
  learningRate: "train/learning_rate",
  examplesPerSecond: "train/examples_per_second",
};

/** The numbers of a line of the log by TensorBoard's tag, whose part before the slash makes groups. */
export function curvesOf(entry: LogEntry): Record<string, number> {
  const curves: Record<string, number> = {};
  const add = (group: string, numbers: unknown) => {
    for (const [name, value] of Object.entries(numbers as Numbers ?? {})) {
      if (typeof value === "number") curves[`${group}/${name}`] = value;
    }
  };
  for (const [key, tag] of Object.entries(TRAINING)) {
    if (typeof entry[key] === "number") curves[tag] = entry[key];
  }
  if (typeof entry.loss === "number") curves["loss/total"] = entry.loss;
  add("loss", entry.losses);
  add("norm", entry.norms);
  add("loss_scale", entry.lossScale);
  add("validation", entry.validation);
  for (const [loss, metrics] of Object.entries(entry.lossMetrics ?? {})) add(`loss_metrics/${loss}`, metrics);
  const { matrices, agreement } = (entry.diagnostics ?? {}) as { matrices?: object; agreement?: number | null };
  for (const [name, { relativeStep, effectiveRank }] of Object.entries(matrices ?? {})) {
    add("relative_step", { [name]: relativeStep });
    add("effective_rank", { [name]: effectiveRank });
  }
  add("validation", { teacher_agreement: agreement });
  return curves;
}
