import type { AssessCall, Assessed, Assessment } from "../assessment.ts";
import { classNumbers, decided } from "../logits.ts";
import { progressOf } from "../progress.ts";
import { someExamples } from "../some_examples.ts";
import type { Subject } from "../subject.ts";
import { attack } from "./attack.ts";
import type { Norm } from "./attack_batch.ts";
import { showRobustness } from "./show.ts";
import { decidedAfter, type Sweep, sweepsOf } from "./sweeps.ts";

/** Bounds that are taken unless others are asked for: of pixels from 0 to 1, and of word vectors (see `spaceOf`). */
export const EPS: Readonly<Record<"image" | "text", Readonly<Record<Norm, readonly number[]>>>> = {
  image: { linf: [1 / 255, 2 / 255, 4 / 255, 8 / 255], l2: [0.125, 0.25, 0.5, 1] },
  text: { linf: [0.05, 0.1, 0.2, 0.4], l2: [1, 2, 4, 8] },
};

/** What came of one bound. */
export interface AttackPoint {
  readonly norm: Norm;
  readonly eps: number;
  /** Part of the examples that are right after one step of the fast gradient sign method. */
  readonly fgsm: number;
  /** The same after projected gradient descent, nothing within the bound that was tried having changed it. */
  readonly pgd: number;
  /** Part of the examples about which the model, where PGD ended, and the teacher decide alike; `null`: not known. */
  readonly agreement: number | null;
}

/** What came of one change that is no attack. */
export interface SweepPoint {
  readonly change: string;
  readonly unit: string;
  readonly strength: number;
  readonly accuracy: number;
  /** With the teacher, about the same changed examples; `null`: not known. */
  readonly agreement: number | null;
}

/** One model under attacks and other changes. */
export interface SubjectRobustness {
  readonly subject: string;
  /** Examples that were looked at. */
  readonly examples: number;
  /** As they are. */
  readonly accuracy: number;
  readonly agreement: number | null;
  readonly attacks: readonly AttackPoint[];
  readonly sweeps: readonly SweepPoint[];
  /** Why something is missing, a sentence each. */
  readonly notes: readonly string[];
}

/** FGSM and PGD, and noise, blur, contrast, shift, left out tokens and typing errors of rising strength. */
export const robustness: Assessment = {
  name: "robustness",
  title: "Robustness",
  description:
    "accuracy under attacks (FGSM, PGD) and under changes of rising strength, and agreement with the teacher",
  usual: true,
  assess,
};

async function assess(call: AssessCall): Promise<Assessed> {
  const { subjects: [first], teacher, settings: { most, seed, steps, restarts } } = call;
  const indices = someExamples(first.examples.length, most, seed);
  const taught = teacher && await decisions(call, teacher, indices);
  const all: SubjectRobustness[] = [];
  for (const subject of call.subjects) all.push(await assessOne(call, subject, { indices, taught }));
  return {
    result: { examples: indices.length, steps, restarts, seed, subjects: all },
    shown: showRobustness(call, all),
  };
}

/** What a model decides. */
interface Decisions {
  readonly labels: Int32Array;
  /** About the examples as they are. */
  readonly plain: Int32Array;
  /** After each change, of each strength. */
  readonly changed: readonly {
    readonly sweep: Sweep;
    readonly strength: number;
    readonly decided: Int32Array;
  }[];
  /** Why something is missing, a sentence each. */
  readonly notes: readonly string[];
}

async function decisions(
  { ops, settings: { batchSize, seed }, tokenizer, tell }: AssessCall,
  subject: Subject,
  indices: Uint32Array,
): Promise<Decisions> {
  const { decided: plain, labels } = await decided(ops, subject, { indices, batchSize });
  const { sweeps, notes } = await sweepsOf(subject, indices, tokenizer);
  const changed: Decisions["changed"][number][] = [];
  const progress = progressOf(tell, `${subject.name}, sweeps`, sweeps.length);
  for (const [at, sweep] of sweeps.entries()) {
    for (const strength of sweep.strengths) {
      const decided = await decidedAfter(ops, subject, sweep, { indices, batchSize, seed, strength });
      changed.push({ sweep, strength, decided });
    }
    progress(at + 1);
  }
  return { labels, plain, changed, notes };
}

async function assessOne(
  call: AssessCall,
  subject: Subject,
  { indices, taught }: { readonly indices: Uint32Array; readonly taught: Decisions | null },
): Promise<SubjectRobustness> {
  const teacher = call.teacher === subject ? null : call.teacher;
  const own = call.teacher === subject ? taught! : await decisions(call, subject, indices);
  const numbers = teacher && classNumbers(teacher, subject);
  const agreement = (decided: Int32Array, told: Int32Array | undefined) =>
    numbers && told ? part(decided, told.map((label) => numbers[label])) : null;
  const points = own.changed.map(({ sweep, strength, decided }): SweepPoint => {
    const told = taught?.changed.find((other) => other.sweep.name === sweep.name && other.strength === strength);
    return {
      change: sweep.name,
      unit: sweep.unit,
      strength,
      accuracy: part(decided, own.labels),
      agreement: agreement(decided, told?.decided),
    };
  });
  const attacked = await attacks(call, subject, teacher, indices);
  return {
    subject: subject.name,
    examples: indices.length,
    accuracy: part(own.plain, own.labels),
    agreement: agreement(own.plain, taught?.plain),
    attacks: typeof attacked === "string" ? [] : attacked,
    sweeps: points,
    notes: [...own.notes, ...(typeof attacked === "string" ? [attacked] : [])],
  };
}

/** The attacks on one model; a sentence where there can be none. */
async function attacks(
  { ops, settings, tell }: AssessCall,
  subject: Subject,
  teacher: Subject | null,
  indices: Uint32Array,
): Promise<AttackPoint[] | string> {
  if (!subject.differentiable) {
    return "no attacks, as another library computes it, so that there are no gradients.";
  }
  const usual = EPS[subject.input.image ? "image" : "text"];
  const { steps, restarts, seed, batchSize } = settings;
  const points: AttackPoint[] = [];
  for (const [norm, eps] of [["linf", settings.eps ?? usual.linf], ["l2", settings.epsL2 ?? usual.l2]] as const) {
    const options = { norm, eps, steps, restarts, seed, batchSize, teacher, tell };
    const { labels, attacked } = await attack(ops, subject, indices, options);
    points.push(...attacked.map(({ eps, fgsm, pgd, taught }): AttackPoint => {
      return { norm, eps, fgsm: part(fgsm, labels), pgd: part(pgd, labels), agreement: taught && part(pgd, taught) };
    }));
  }
  return points;
}

/** The part of places where two lists are equal. */
function part(own: Int32Array, other: Int32Array): number {
  return own.filter((decided, at) => decided === other[at]).length / own.length;
}
