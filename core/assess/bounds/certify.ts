import { batchesOf } from "../../evaluate/batches.ts";
import { breathe } from "../../evaluate/breathe.ts";
import type { FrozenWeights } from "../../nn/frozen_weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples, ImageInput } from "../../plugin/dataset.ts";
import { Anchor } from "./anchor.ts";
import { boxAround, someOf } from "./boxes.ts";
import { falls } from "./crown.ts";
import type { DeviceNetwork } from "./device_network.ts";
import { type ForwardBounds, forwardBounds } from "./forward_bounds.ts";
import { type Network, sizeOfOne } from "./network.ts";

/** A network, and the examples whose decisions are to be certified. */
export interface CertifyCall {
  /** In float64. */
  readonly exact: Ops;
  readonly weights: FrozenWeights;
  readonly device: DeviceNetwork;
  readonly examples: Examples;
  readonly indices: Uint32Array;
  readonly normalise: ImageInput["normalise"];
  /** Bounds of a change of each pixel from 0 to 1, in rising order. */
  readonly eps: readonly number[];
  /** How close bounds are to be: each takes more work than the one before. */
  readonly closeness: Closeness;
  /** Whether it makes sense to try an example, of those in `indices`; all by default. */
  readonly hopeful?: (level: number, example: number) => boolean;
  readonly progress?: (done: number) => void;
}

/** Intervals alone; linear bounds back from the logits to these; or to zonotopes, which are followed for each image. */
export type Closeness = "intervals" | "linear" | "zonotopes";

/** What was certified within one bound, by example: that no change within it makes the decision wrong. */
export interface CertifiedAt {
  readonly eps: number;
  /** By intervals. */
  readonly intervals: Uint8Array;
  /** By linear bounds, or by intervals. */
  readonly linear: Uint8Array;
}

/** What was certified of some examples. */
export interface Certified {
  /** Whether the decision about an example as it is, is right. */
  readonly clean: Uint8Array;
  readonly levels: readonly CertifiedAt[];
}

/**
 * A margin that is certified must be larger than this part of the largest logit: computing the network in float32
 * changes logits by less.
 */
const RESERVE = 1e-4;

/** The most numbers that the values of a batch have together: balls take 8 bytes for each, walks back 4 per class. */
const MOST_NUMBERS = 2 ** 22;

/** Certifies decisions. An example that was not certified within a bound is not tried within larger ones. */
export async function certify(call: CertifyCall): Promise<Certified> {
  const { exact, weights, device, examples, indices, eps, progress = () => {} } = call;
  const { network } = device;
  const clean = new Uint8Array(indices.length);
  let done = 0;
  const levels = eps.map((eps) => ({
    eps,
    intervals: new Uint8Array(indices.length),
    linear: new Uint8Array(indices.length),
  }));
  const places = Uint32Array.from(indices.keys());
  for (const batch of batchesOf(places, batchSizeOf(network))) {
    const own = batch.map((place) => indices[place]);
    await examples.fetch?.(own);
    const { image, label } = examples.batch(own);
    const anchor = await Anchor.at(exact, network, weights, image);
    const margins = marginsOf(anchor.of(network.logits), label.data, sizeOfOne(network.logits));
    const right = [...batch.keys()].filter((row) => margins.least(row) > 0);
    for (const row of right) clean[batch[row]] = 1;
    let [byIntervals, byLines] = [right, right];
    for (const [level, { eps, intervals, linear }] of levels.entries()) {
      const box = boxAround(image, call.normalise, eps);
      const within = { ...call, anchor, margins, box, count: batch.length };
      byIntervals = await certifiedBy("intervals", within, byIntervals);
      for (const row of byIntervals) intervals[batch[row]] = linear[batch[row]] = 1;
      if (call.closeness !== "intervals") {
        const sure = new Set(byIntervals);
        const open = byLines.filter((row) => !sure.has(row) && (call.hopeful?.(level, batch[row]) ?? true));
        const found = await certifiedBy("linear", within, open);
        const left = open.filter((row) => !found.includes(row));
        if (call.closeness === "zonotopes") {
          for (const row of left) found.push(...await certifiedBy("zonotopes", within, [row]));
        }
        byLines = [...byIntervals, ...found].sort((a, b) => a - b);
        for (const row of byLines) linear[batch[row]] = 1;
      }
      done += batch.length;
      progress(done);
    }
  }
  return { clean, levels };
}

/** How many images a network takes at once. */
function batchSizeOf({ steps }: Network): number {
  const numbers = steps.reduce((sum, { output }) => sum + sizeOfOne(output), 0);
  return Math.max(1, Math.min(64, Math.floor(MOST_NUMBERS / numbers)));
}

/** How much larger the logit of the right class is than each other. */
interface Margins {
  readonly classes: number;
  readonly label: (row: number) => number;
  /** Of the right class itself 0. */
  readonly of: (row: number, other: number) => number;
  /** The least over other classes. */
  readonly least: (row: number) => number;
  /** What a margin must be larger than. */
  readonly reserve: (row: number) => number;
}

function marginsOf(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number): Margins {
  const all = (row: number) => Array.from({ length: classes }, (_, c) => logits[row * classes + c]);
  const of = (row: number, other: number) => logits[row * classes + labels[row]] - logits[row * classes + other];
  return {
    classes,
    label: (row) => labels[row],
    of,
    least: (row) => Math.min(...all(row).map((_, c) => c === labels[row] ? Infinity : of(row, c))),
    reserve: (row) => RESERVE * Math.max(...all(row).map(Math.abs)),
  };
}

interface Within extends CertifyCall {
  readonly anchor: Anchor;
  readonly margins: Margins;
  readonly box: ReturnType<typeof boxAround>;
  readonly count: number;
}

/** Those of some rows of a batch that are certified. */
async function certifiedBy(closeness: Closeness, call: Within, rows: readonly number[]): Promise<number[]> {
  if (rows.length === 0) return [];
  const { device, margins, count } = call;
  const anchor = call.anchor.some(rows);
  using bounds = await forwardBounds(device, anchor, someOf(call.box, rows, count), closeness === "zonotopes");
  const lost = closeness === "intervals"
    ? intervalFalls(bounds, device.network, margins, rows)
    : await falls(device, anchor, bounds, { data: differences(margins, rows), count: margins.classes });
  await breathe();
  return rows.filter((row, place) =>
    Array.from({ length: margins.classes }, (_, other) => other).every((other) =>
      other === margins.label(row) ||
      margins.of(row, other) - lost[place * margins.classes + other] > margins.reserve(row)
    )
  );
}

/** How far each margin can fall if logits move apart by themselves. */
function intervalFalls(
  { boxes }: ForwardBounds,
  { logits }: Network,
  { classes, label }: Margins,
  rows: readonly number[],
) {
  const { lower, upper } = boxes.get(logits)!;
  return Float64Array.from(upper, (most, i) => {
    const place = Math.floor(i / classes);
    return most + lower[place * classes + label(rows[place])];
  });
}

/** The right class's logit minus each logit, as linear functions `[rows, classes, classes]`. */
function differences({ classes, label }: Margins, rows: readonly number[]): Float32Array {
  const functions = new Float32Array(rows.length * classes * classes);
  rows.forEach((row, place) => {
    for (let other = 0; other < classes; other++) {
      const at = (place * classes + other) * classes;
      functions[at + label(row)] += 1;
      functions[at + other] -= 1;
    }
  });
  return functions;
}
