import { appendToFile, readTextIfThere, writeFileAtomically } from "../../files.ts";
import type { Ops } from "../../ops/ops.ts";
import type { LossScale } from "../../nn/grad_scaler.ts";
import type { Tensor } from "../../tensor.ts";
import type { EventLog } from "../../tensorboard/event_log.ts";
import { curvesOf, type LogEntry } from "./curves.ts";
import type { StepRecord } from "./training_step.ts";
import { join } from "../../paths.ts";

/** The numbers of the steps since the last log line. */
export interface LoggedSteps {
  /** Steps done after the last of them. */
  readonly step: number;
  /** Means over them. */
  readonly loss: number;
  readonly terms: readonly number[];
  /** Part of the answers that are right; `null` for a regression, and where no example had a label. */
  readonly accuracy: number | null;
  readonly examples: number;
  /** Frobenius norms of the over-parameterised matrices at the last of them that has any. */
  readonly norms: readonly number[];
  /** Where the loss's scale stands after the last of them; `null` without one. */
  readonly lossScale: LossScale | null;
  /** The first step, from 0, that shows numbers that are not finite, and what they are. */
  readonly nonFinite: { readonly step: number; readonly what: string } | null;
}

/** Reads what several steps left on the device, in one wait, and frees it. */
export async function readSteps(ops: Ops, records: readonly StepRecord[]): Promise<LoggedSteps> {
  const scales = records.flatMap(({ lossScale }) => lossScale);
  const tensors = [...records.flatMap(scalarsOf), ...scales];
  const read = await ops.read(tensors);
  const numbers = read.map(([value]) => value);
  const scale = scales.length > 0 ? read.at(-1)! : null;
  tensors.forEach((tensor) => tensor.dispose());
  let place = 0;
  const take = (count: number) => numbers.slice(place, place += count);
  const steps = records.map(({ step, batchSize, scored, terms, squaredNorms, squaredParameters }) => {
    const [total, correct] = take(2);
    const [ownTerms, norms] = [take(terms.length), take(squaredNorms.length).map(Math.sqrt)];
    return {
      step,
      batchSize,
      scored,
      total,
      correct,
      terms: ownTerms,
      norms,
      weights: [...norms, ...take(squaredParameters.length)],
    };
  });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const examples = steps.reduce((sum, { batchSize }) => sum + batchSize, 0);
  const scored = steps.reduce((sum, step) => sum + step.scored, 0);
  const finite = (values: readonly number[]) => values.every(Number.isFinite);
  const bad = steps.find(({ total, terms, weights }) => !finite([total, ...terms, ...weights]));
  const what = bad && (finite([bad.total, ...bad.terms]) ? "the weights are" : "its loss is");
  return {
    step: steps.at(-1)!.step + 1,
    loss: mean(steps.map(({ total }) => total)),
    terms: records[0].terms.map((_, index) => mean(steps.map(({ terms }) => terms[index]))),
    accuracy: scored === 0 ? null : steps.reduce((sum, { correct }) => sum + correct, 0) / scored,
    examples,
    norms: steps.findLast(({ norms }) => norms.length > 0)?.norms ?? [],
    lossScale: scale && { scale: scale[0], skippedSteps: scale[2] },
    nonFinite: bad ? { step: bad.step, what: what! } : null,
  };
}

/** What a step left, one number each. */
function scalarsOf({ total, correct, terms, squaredNorms, squaredParameters }: StepRecord): Tensor[] {
  return [total, correct, ...terms, ...squaredNorms, ...squaredParameters];
}

/** Frees what a step left. */
export function disposeStep(record: StepRecord): void {
  for (const tensor of [...scalarsOf(record), ...record.lossScale]) tensor.dispose();
}

/** The run's `metrics.jsonl`: one line per log step; the same numbers go to TensorBoard's file, if there is one. */
export class MetricsLog {
  readonly #file: string;

  /** @param run the run's id, which stands in every line */
  constructor(folder: string, private readonly run: string, private readonly events: EventLog | null = null) {
    this.#file = join(folder, "metrics.jsonl");
  }

  /** Begins anew, or keeps the lines up to the step that a resumed run continues from. */
  async open(keepUntilStep: number): Promise<void> {
    const text = keepUntilStep === 0 ? null : await readTextIfThere(this.#file, "the log");
    const kept = (text ?? "").split("\n").filter((line) => stepOf(line) <= keepUntilStep);
    await writeFileAtomically(this.#file, kept.map((line) => line + "\n").join(""));
  }

  async write(entry: LogEntry): Promise<void> {
    await appendToFile(this.#file, JSON.stringify({ ...entry, run: this.run }) + "\n");
    await this.events?.scalars(entry.step, curvesOf(entry));
  }
}

/** The step of a line; none, so that the line goes, for an unfinished one of a run that was killed. */
function stepOf(line: string): number {
  try {
    return JSON.parse(line).step;
  } catch {
    return Infinity;
  }
}
