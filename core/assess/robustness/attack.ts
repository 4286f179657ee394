import { batchesOf } from "../../evaluate/batches.ts";
import { breathe } from "../../evaluate/breathe.ts";
import { infer, inferOn } from "../../evaluate/predictions.ts";
import type { Ops } from "../../ops/ops.ts";
import { upload } from "../../plugin/batch.ts";
import type { Tensor } from "../../tensor.ts";
import { classNumbers, notFinite } from "../logits.ts";
import { progressOf } from "../progress.ts";
import type { Subject } from "../subject.ts";
import { type Attacked, fastGradient, type Norm, projectedDescent } from "./attack_batch.ts";
import { channelwise, type OpenSpace, spaceOf } from "./space.ts";
import { startsOf } from "./starts.ts";

/** How a model is attacked. */
export interface AttackOptions {
  readonly norm: Norm;
  /** Bounds of a change, from 0, in rising order: of pixels from 0 to 1, or of word vectors; see {@link spaceOf}. */
  readonly eps: readonly number[];
  /** Steps of projected gradient descent. */
  readonly steps: number;
  /** How often it starts: from the example itself, then from random places within the bound. */
  readonly restarts: number;
  readonly seed: number;
  /** Examples that are computed at once. */
  readonly batchSize: number;
  /** Is asked what it decides of what was found, where it takes images of the same size; of texts of the unchanged. */
  readonly teacher?: Subject | null;
  readonly tell?: (line: string) => void;
}

/** What was decided after attacks within one bound, for each example that was attacked. */
export interface AttackedAt {
  readonly eps: number;
  /** After one step of the fast gradient sign method. */
  readonly fgsm: Int32Array;
  /**
   * After projected gradient descent: at the place with the least margin of all that were tried within this bound and
   * smaller ones, the example itself and those of the fast gradient sign method included.
   */
  readonly pgd: Int32Array;
  /** What the teacher decides there; `null` without one, or where it takes other images. */
  readonly taught: Int32Array | null;
}

/** What was decided about some examples, attacked and not. */
export interface AttackResult {
  readonly labels: Int32Array;
  /** As they are. */
  readonly clean: Int32Array;
  readonly attacked: readonly AttackedAt[];
}

/** Examples that are attacked at once, at most: all that a step computes is kept until its gradients are there. */
const MOST_AT_ONCE = 128;

/** A model's decisions, and the teacher's about the same, by example. */
interface Decisions {
  readonly decided: Int32Array;
  readonly taught: Int32Array | null;
}

/** What a batch needs to be attacked. */
interface Bench {
  readonly ops: Ops;
  readonly subject: Subject;
  readonly open: OpenSpace;
  readonly teacher: Subject | null;
  readonly options: AttackOptions;
}

/**
 * Attacks a model on some of its examples by FGSM and PGD, white-box: by its own gradients. An example that is wrong
 * within a bound is wrong within larger ones, and not attacked again.
 *
 * @param indices of the subject's examples
 * @throws UserError for a model without gradients
 */
export async function attack(
  ops: Ops,
  subject: Subject,
  indices: Uint32Array,
  options: AttackOptions,
): Promise<AttackResult> {
  const { eps, norm, tell = () => {} } = options;
  const teacher = options.teacher && seesTheSame(subject, options.teacher) ? options.teacher : null;
  const bench: Bench = { ops, subject, open: await spaceOf(ops, subject), teacher, options };
  const progress = progressOf(
    tell,
    `${subject.name}, ${norm === "l2" ? "L2" : "L-infinity"} attacks`,
    indices.length * (1 + eps.length),
  );
  const { labels, clean, fgsm } = await fastGradients(bench, indices, progress);
  const [decided, taught] = [clean.decided.slice(), clean.taught?.slice() ?? null];
  const attacked: AttackedAt[] = [];
  for (const [level, bound] of eps.entries()) {
    const step = fgsm[level];
    const right = () => Uint32Array.from(labels.keys()).filter((at) => decided[at] === labels[at]);
    for (const at of right()) {
      if (step.decided[at] === labels[at]) continue;
      decided[at] = step.decided[at];
      if (taught) taught[at] = step.taught![at];
    }
    const left = right();
    for (const places of batchesOf(left, sizeOfBatch(options))) {
      const found = await descend(bench, places.map((at) => indices[at]), bound);
      places.forEach((at, row) => {
        decided[at] = found.decided[row];
        if (taught) taught[at] = found.taught![row];
      });
      progress((1 + level) * indices.length + places.at(-1)!);
    }
    attacked.push({ eps: bound, fgsm: step.decided, pgd: decided.slice(), taught: taught && taught.slice() });
  }
  return { labels, clean: clean.decided, attacked };
}

const sizeOfBatch = ({ batchSize }: AttackOptions) => Math.min(batchSize, MOST_AT_ONCE);

/** Whether a teacher can be shown what a model was shown. */
function seesTheSame({ input: { image } }: Subject, teacher: Subject): boolean {
  return image === null || teacher.differentiable && image.size.join() === teacher.input.image?.size.join();
}

/** The examples as they are, and one step from there to each bound. */
async function fastGradients(bench: Bench, indices: Uint32Array, progress: (done: number) => void) {
  const { ops, subject: { examples }, open, options: { norm, eps } } = bench;
  const empty = () => new Int32Array(indices.length);
  const decisions = (): Decisions => ({ decided: empty(), taught: bench.teacher && empty() });
  const [labels, clean, fgsm] = [empty(), decisions(), eps.map(decisions)];
  let begin = 0;
  for (const batch of batchesOf(indices, sizeOfBatch(bench.options))) {
    await examples.fetch?.(batch);
    await bench.teacher?.examples.fetch?.(batch);
    const host = examples.batch(batch);
    const found = ops.scope(() => {
      const space = open(ops, host);
      return fastGradient(ops, space, norm, [0, ...eps]).map((at) => asked(bench, batch, at));
    });
    labels.set(host.label.data, begin);
    for (const [level, into] of [clean, ...fgsm].entries()) await take(bench, found[level], into, begin);
    begin += batch.length;
    progress(begin);
    await breathe();
  }
  return { labels, clean, fgsm };
}

/** Projected gradient descent on examples that are still right. */
async function descend(bench: Bench, batch: Uint32Array, eps: number): Promise<Decisions> {
  const { ops, subject: { examples }, options: { norm, steps } } = bench;
  await examples.fetch?.(batch);
  await bench.teacher?.examples.fetch?.(batch);
  const host = examples.batch(batch);
  const space = ops.scope(() => bench.open(ops, host));
  const best = await projectedDescent(ops, space, {
    norm,
    eps,
    steps,
    starts: startsOf(bench.options, space.shape, batch, eps),
  });
  const found = ops.scope(() => asked(bench, batch, best));
  best.change.dispose();
  space.held.forEach((tensor) => tensor.dispose());
  const into: Decisions = {
    decided: new Int32Array(batch.length),
    taught: bench.teacher && new Int32Array(batch.length),
  };
  await take(bench, found, into, 0);
  return into;
}

/** What a batch's attack is read of. */
interface Asked {
  readonly decided: Tensor;
  readonly margin: Tensor;
  readonly taught: Tensor | null;
}

/** Asks the teacher about what was found. */
function asked({ ops, teacher }: Bench, batch: Uint32Array, { decided, margin, change }: Attacked): Asked {
  if (!teacher) return { decided, margin, taught: null };
  const { model, weights, input: { image } } = teacher;
  const host = teacher.examples.batch(batch);
  if (!image) return { decided, margin, taught: ops.argmax(inferOn(ops, model, weights, host).logits) };
  const own = upload(ops, host);
  const std = ops.tensor(channelwise(image.normalise.std, image.size[2]));
  const changed = { ...own, image: ops.add(own.image, ops.divide(change, std)) };
  return { decided, margin, taught: ops.argmax(infer(ops, model, weights, changed).logits) };
}

/** Reads what was found into the places from `begin` on, and frees it. @throws UserError if it is no number */
async function take({ ops, subject, teacher }: Bench, found: Asked, into: Decisions, begin: number): Promise<void> {
  const tensors = [found.decided, found.margin, ...found.taught ? [found.taught] : []];
  const [decided, margin, taught] = await ops.read(tensors);
  tensors.forEach((tensor) => tensor.dispose());
  if (!margin.every(Number.isFinite)) throw notFinite(subject.name);
  into.decided.set(decided, begin);
  if (taught) {
    const numbers = classNumbers(teacher!, subject);
    into.taught!.set(Array.from(taught, (label) => numbers[label]), begin);
  }
}
