import { CpuBackend } from "../../backend/cpu/cpu_backend.ts";
import { freeze } from "../../nn/frozen_weights.ts";
import { createOps, type Ops } from "../../ops/ops.ts";
import type { AssessCall, Assessed, Assessment } from "../assessment.ts";
import { percentOf } from "../numbers.ts";
import { progressOf } from "../progress.ts";
import { attack } from "../robustness/attack.ts";
import type { Shown } from "../shown.ts";
import { someExamples } from "../some_examples.ts";
import type { Subject } from "../subject.ts";
import { buildNetwork } from "./build_network.ts";
import { certify, type Closeness } from "./certify.ts";
import { DeviceNetwork } from "./device_network.ts";
import { type Lipschitz, lipschitzOf } from "./lipschitz.ts";
import { type Network, NotCovered, sizeOfOne } from "./network.ts";

/** Bounds that are taken unless others are asked for, of pixels from 0 to 1. */
export const BOUNDED_EPS: readonly number[] = [0.1 / 255, 0.25 / 255, 0.5 / 255, 1 / 255];

/** What came of one bound: parts of the examples. */
export interface BoundPoint {
  readonly eps: number;
  /** Right whatever projected gradient descent tried. */
  readonly pgd: number;
  /** Right whatever may be tried, by linear bounds. */
  readonly linear: number;
  /** The same by intervals. */
  readonly intervals: number;
}

/** One model's bounds. */
export interface SubjectBounds {
  readonly subject: string;
  /** Part of the examples that are right as they are; `null` with all else where nothing is bounded. */
  readonly clean: number | null;
  /** Where linear bounds take it from how far curves go. */
  readonly closeness: Closeness | null;
  /** Of the logits, by the pixels from 0 to 1, both in Euclidean norm. */
  readonly lipschitz: Lipschitz | null;
  readonly points: readonly BoundPoint[];
  /** Why nothing is bounded: a sentence. */
  readonly reason: string | null;
}

/** Certified accuracy by interval and linear bounds, beside that under attack; Lipschitz bounds. */
export const bounds: Assessment = {
  name: "bounds",
  title: "Certified bounds",
  description: "the part of decisions that provably no change of pixels within eps makes wrong, and Lipschitz bounds",
  usual: true,
  assess,
};

/** Examples that are certified at most; and at least, where they may take long. */
const [MOST, LEAST] = [100, 10];

/** Products that certifying a model's examples within one bound may take: half a minute to two on two cores. */
const WORK = 2 ** 37;

/** Products in float64 that the passes of the examples themselves may take: a minute and a half. */
const EXACT_WORK = 2 ** 35;

/** Products that finding all norms may take. */
const LIPSCHITZ_WORK = 2 ** 38;

/** Numbers of a zonotope's largest value: 128 MB. */
const MOST_NUMBERS = 2 ** 25;

/** A subject with its network; `null` where nothing is bounded. */
interface Opened {
  readonly subject: Subject;
  readonly network: Network | null;
  readonly reason: string | null;
}

async function assess(call: AssessCall): Promise<Assessed> {
  const { subjects, settings: { most, seed } } = call;
  const exactBackend = await CpuBackend.create({ precision: "float64" });
  try {
    const exact = createOps(exactBackend);
    const all: Opened[] = [];
    for (const subject of subjects) all.push(await opened(exact, subject));
    const counts = all.flatMap(({ network }) => network ? [examplesFor(network)] : []);
    const count = Math.min(most ?? Infinity, ...counts, MOST);
    const indices = someExamples(subjects[0].examples.length, count, seed);
    const found: SubjectBounds[] = [];
    for (const { subject, network, reason } of all) {
      found.push(network ? await boundsOf(call, exact, subject, network, indices) : nothing(subject, reason!));
    }
    return { result: { examples: indices.length, seed, subjects: found }, shown: shownOf(found, indices.length) };
  } finally {
    await exactBackend.close();
  }
}

async function opened(exact: Ops, subject: Subject): Promise<Opened> {
  const { model, numbers, input, differentiable } = subject;
  if (!differentiable) {
    return { subject, network: null, reason: new NotCovered("is computed by another library").message };
  }
  const weights = freeze(exact, model, numbers);
  try {
    return { subject, network: await buildNetwork(exact, model, weights, input), reason: null };
  } catch (error) {
    if (error instanceof NotCovered) return { subject, network: null, reason: error.message };
    throw error;
  } finally {
    weights.dispose();
  }
}

const nothing = ({ name }: Subject, reason: string): SubjectBounds => {
  return { subject: name, clean: null, closeness: null, lipschitz: null, points: [], reason };
};

/** Products of a forward pass. */
function productsOf({ steps }: Network): number {
  return steps.reduce(
    (sum, step) => sum + (step.kind === "linear" ? step.terms * sizeOfOne(step.output) : 0),
    0,
  );
}

/** Products that certifying one example within one bound takes where pixels are followed. */
function workOf(network: Network): number {
  return productsOf(network) * (sizeOfOne(network.input) + 3 * sizeOfOne(network.logits));
}

/** Steps of power iteration, each a pass there and two back. */
function iterationsFor(network: Network): number {
  return Math.min(100, Math.max(10, Math.floor(LIPSCHITZ_WORK / (3 * productsOf(network)))));
}

function closenessFor(network: Network): Closeness {
  const largest = Math.max(...network.steps.map(({ output }) => sizeOfOne(output)));
  const fits = sizeOfOne(network.input) * largest <= MOST_NUMBERS;
  return fits && workOf(network) * LEAST <= WORK ? "zonotopes" : "linear";
}

function examplesFor(network: Network): number {
  const exact = Math.floor(EXACT_WORK / productsOf(network));
  return Math.max(1, closenessFor(network) === "linear" ? exact : Math.min(exact, Math.floor(WORK / workOf(network))));
}

async function boundsOf(
  { ops, settings, tell }: AssessCall,
  exact: Ops,
  subject: Subject,
  network: Network,
  indices: Uint32Array,
): Promise<SubjectBounds> {
  const { name, examples, model, numbers, input: { image } } = subject;
  const { steps, restarts, seed, batchSize } = settings;
  const eps = settings.eps ?? BOUNDED_EPS;
  const options = { norm: "linf", eps, steps, restarts, seed, batchSize, tell } as const;
  const { labels, clean, attacked } = await attack(ops, subject, indices, options);
  const holds = (level: number, at: number) => attacked[level].pgd[at] === labels[at];
  const closeness = closenessFor(network);
  const weights = freeze(exact, model, numbers);
  using device = new DeviceNetwork(ops, network);
  try {
    const certified = await certify({
      exact,
      weights,
      device,
      examples,
      indices,
      normalise: image!.normalise,
      eps,
      closeness,
      hopeful: holds,
      progress: progressOf(tell, `${name}, bounds`, indices.length * eps.length),
    });
    const points = certified.levels.map(({ eps, intervals, linear }, level): BoundPoint => {
      const disproved = [...indices.keys()].filter((at) => linear[at] === 1 && !holds(level, at));
      if (disproved.length > 0) {
        throw new Error(
          `Cannot be: of "${name}" the decision about example ${
            indices[disproved[0]]
          } is certified within eps ${eps}, ` +
            "and an attack within it changed it",
        );
      }
      return {
        eps,
        pgd: part(indices, (at) => holds(level, at)),
        linear: part(indices, (at) => linear[at] === 1),
        intervals: part(indices, (at) => intervals[at] === 1),
      };
    });
    const own = await lipschitzOf(device, seed, iterationsFor(network));
    const perPixel = 1 / Math.min(...image!.normalise.std);
    const lipschitz = { estimate: own.estimate * perPixel, bound: own.bound * perPixel };
    return {
      subject: name,
      clean: part(indices, (at) => clean[at] === labels[at]),
      closeness,
      lipschitz,
      points,
      reason: null,
    };
  } finally {
    weights.dispose();
  }
}

/** The part of examples of which something is true. */
function part(indices: Uint32Array, isTrue: (at: number) => boolean): number {
  return [...indices.keys()].filter(isTrue).length / indices.length;
}

const FROM: Readonly<Record<Closeness, string>> = {
  intervals: "intervals",
  linear: "CROWN from intervals",
  zonotopes: "CROWN from zonotopes",
};

function shownOf(all: readonly SubjectBounds[], examples: number): Shown[] {
  const covered = all.filter(({ reason }) => reason === null);
  const refused = all.flatMap(({ subject, reason }): Shown[] =>
    reason === null ? [] : [{ kind: "note", text: `${subject}: nothing is bounded. ${reason}.` }]
  );
  if (covered.length === 0) return refused;
  const [{ points: first }] = covered;
  return [
    { kind: "note", text: `Of ${examples} test examples. Certified is at most what PGD leaves right, and that clean.` },
    {
      kind: "table",
      title: "Accuracy within changes of pixels, from 0 to 1, of up to eps",
      header: ["", "eps 0", ...first.map(({ eps }) => showEps(eps))],
      rows: covered.flatMap(({ subject, clean, points, closeness }) => [
        [`${subject}, PGD`, percentOf(clean), ...points.map(({ pgd }) => percentOf(pgd))],
        [
          `${subject}, certified by ${FROM[closeness!]}`,
          percentOf(clean),
          ...points.map(({ linear }) => percentOf(linear)),
        ],
        [
          `${subject}, certified by intervals`,
          percentOf(clean),
          ...points.map(({ intervals }) => percentOf(intervals)),
        ],
      ]),
    },
    {
      kind: "table",
      title: "Lipschitz bounds of the logits, by pixels from 0 to 1, in Euclidean norms",
      header: ["", "product of spectral norms", "bound"],
      rows: covered.map(({ subject, lipschitz }) => [
        subject,
        ...[lipschitz!.estimate, lipschitz!.bound].map((one) => one.toPrecision(3)),
      ]),
    },
    ...refused,
  ];
}

/** A bound of pixels in parts of 255. */
function showEps(eps: number): string {
  return `${+(eps * 255).toPrecision(3)}/255`;
}
