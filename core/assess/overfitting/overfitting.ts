import type { Examples } from "../../plugin/dataset.ts";
import type { AssessCall, Assessed, Assessment } from "../assessment.ts";
import { calibrationScores } from "../calibration/scores.ts";
import { logitsOf } from "../logits.ts";
import { percentOf } from "../numbers.ts";
import type { Shown } from "../shown.ts";
import type { Subject } from "../subject.ts";

/** How much better a model is on what it was trained on. */
export interface SubjectGap {
  readonly subject: string;
  /** Whether matrices of it were over-parameterised in training; `null` of a model that is of no run. */
  readonly overParameterised: boolean | null;
  readonly train: Part;
  /** On the validation examples, or the test examples where there are none. */
  readonly held: Part & { readonly split: "validation" | "test" };
  /** Part of the training examples that is right less that of the others. */
  readonly gap: number;
  /** What drawing other examples of the same kind would change the gap by: half of its 95 % interval. */
  readonly noise: number;
  /** The plain student of the same kind and size beside it. */
  readonly twin: { readonly subject: string; readonly difference: number; readonly noise: number } | null;
}

/** A split, and how good the model is on it, unaugmented. */
interface Part {
  readonly examples: number;
  readonly accuracy: number;
  readonly nll: number;
}

/** The least gap that is warned of, where it is more than noise. */
const LEAST_GAP = 0.03;

/** The gap between training and other examples, beside that of a student without over-parameterisation. */
export const overfitting: Assessment = {
  name: "overfitting",
  title: "Overfitting",
  description: "how much better a model is on its training examples than on others, beside its plain twin",
  usual: true,
  assess,
};

async function assess(call: AssessCall): Promise<Assessed> {
  const gaps: { readonly subject: Subject; readonly own: Omit<SubjectGap, "twin"> }[] = [];
  const unknown: { readonly subject: string; readonly reason: string }[] = [];
  for (const subject of call.subjects) {
    const { train } = subject;
    if (train) gaps.push({ subject, own: await gapOf(call, subject, train) });
    else unknown.push({ subject: subject.name, reason: `Cannot tell a gap: ${subject.otherData}` });
  }
  const all = gaps.map(({ subject, own }): SubjectGap => {
    const twin = own.overParameterised
      ? gaps.find((other) => other.subject !== call.teacher && isTwin(subject, other.subject))?.own
      : undefined;
    if (!twin) return { ...own, twin: null };
    const difference = own.gap - twin.gap;
    return { ...own, twin: { subject: twin.subject, difference, noise: Math.hypot(own.noise, twin.noise) } };
  });
  return { result: { subjects: all, unknown }, shown: shownOf(call, all, unknown) };
}

/**
 * Whether the second is trained as the first is but for over-parameterisation: on the same examples, of the same seed,
 * with the same teacher and student, as long, and by none but the first's losses.
 */
function isTwin({ kin: own }: Subject, { kin: other, overParameterised }: Subject): boolean {
  return overParameterised === false && own !== null && other !== null && other.key === own.key &&
    other.losses.every((use) => own.losses.includes(use));
}

async function gapOf(
  { ops, settings: { batchSize } }: AssessCall,
  subject: Subject,
  seen: Examples,
): Promise<Omit<SubjectGap, "twin">> {
  const part = async (examples: Examples): Promise<Part> => {
    const { accuracy, nll } = calibrationScores(
      await logitsOf(ops, subject, examples, { batchSize }),
      subject.temperature,
    );
    return { examples: examples.length, accuracy, nll };
  };
  const train = await part(seen);
  const held = {
    ...await part(subject.validation ?? subject.examples),
    split: subject.validation ? "validation" : "test",
  } as const;
  const variance = ({ accuracy, examples }: Part) => accuracy * (1 - accuracy) / examples;
  return {
    subject: subject.name,
    overParameterised: subject.overParameterised,
    train,
    held,
    gap: train.accuracy - held.accuracy,
    noise: 1.959963984540054 * Math.sqrt(variance(train) + variance(held)),
  };
}

function shownOf(
  { teacher }: AssessCall,
  all: readonly SubjectGap[],
  unknown: readonly { readonly subject: string; readonly reason: string }[],
): Shown[] {
  const points = (part: number) => `${(100 * part).toFixed(2)}`;
  const between = (value: number, noise: number) => `${points(value)} ± ${points(noise)}`;
  return [
    ...unknown.map(({ subject, reason }): Shown => ({ kind: "note", text: `${subject}: ${reason}.` })),
    ...(all.length === 0 ? [] : [
      {
        kind: "table",
        title: "Training examples, unaugmented, and others; gaps in points",
        header: ["", "training", heldNames(all), "gap", "NLL, training", "NLL", "gap above the plain twin's"],
        rows: all.map(({ subject, train, held, gap, noise, twin }) => [
          subject,
          percentOf(train.accuracy),
          percentOf(held.accuracy),
          between(gap, noise),
          train.nll.toFixed(4),
          held.nll.toFixed(4),
          twin ? `${between(twin.difference, twin.noise)} (${twin.subject})` : "-",
        ]),
      } as const,
    ]),
    ...all.filter(({ subject }) => subject !== teacher?.name).flatMap((own): Shown[] => warning(own)),
  ];
}

/** On what the others are measured: validation or test, or one here and one there. */
function heldNames(all: readonly SubjectGap[]): string {
  return [...new Set(all.map(({ held }) => held.split))].join(" or ");
}

/** What to change where a model knows its training examples better than others. */
function warning({ subject, gap, noise, twin, overParameterised }: SubjectGap): Shown[] {
  if (gap < LEAST_GAP || gap < noise) return [];
  const causedByChains = twin !== null && twin.difference > twin.noise;
  const cores = overParameterised
    ? `, or fewer cores (student.overParameterise)${
      twin === null
        ? ""
        : causedByChains
        ? `: its plain twin's gap is smaller by ${(100 * twin.difference).toFixed(1)} points`
        : ", which promises little: its plain twin's gap is as large, within noise"
    }`
    : "";
  const text = `${subject} is right about ${(100 * gap).toFixed(1)} points more of its training examples than of ` +
    `others: it has learned some by heart. What lowers that: more training examples or augment, a larger ` +
    `train.optimiser.weightDecay, fewer train.epochs or train.earlyStopping${cores}.`;
  return [{ kind: "note", text, warning: true }];
}
