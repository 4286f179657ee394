import type { Random } from "../data/random.ts";
import type { Batch, HostTensor } from "./dataset.ts";

/** What mixed examples have in a batch beside `label`: the class of the other part, and how much that is. */
export const OTHER_LABEL = "other label";
export const OTHER_SHARE = "other share";

/** How images of a batch are mixed with each other; 0: not at all. */
export interface Mixing {
  /** Mixup's alpha: pixels are weighted means. */
  readonly mixup: number;
  /** CutMix's alpha: a rectangle is the other image's. */
  readonly cutmix: number;
}

/** The images of a batch: the student's, and those that teachers take in another form. */
const IMAGES = /^(?:teacher \d+ takes: )?image$/;

/**
 * Mixes each image of a batch with another one of it, drawn at random: by mixup (Zhang et al. 2018, arXiv 1710.09412)
 * as (1 - s) x + s x', or by CutMix (Yun et al. 2019, arXiv 1905.04899), where a rectangle of x' takes the part s of x.
 * The share s of the other one, at most 1/2, follows Beta(alpha, alpha); with both each is as likely. What teachers
 * take is mixed alike.
 *
 * @param batch images `[batch, height, width, channels]` and `label [batch]`
 * @returns the same with mixed images, {@link OTHER_LABEL} `[batch]` and {@link OTHER_SHARE} `[batch]`
 */
export function mixImages(batch: Batch<HostTensor>, { mixup, cutmix }: Mixing, random: Random): Batch<HostTensor> {
  const { label, image: { shape: [count, height, width] } } = batch;
  const partners = random.split("partners").shuffle(Uint32Array.from({ length: count }, (_, index) => index));
  const mixtures = Array.from(partners, (_, index): Mixture => {
    const own = random.split(index);
    const cuts = cutmix > 0 && (mixup === 0 || own.below(2) === 1);
    const drawn = beta(own, cuts ? cutmix : mixup);
    const share = Math.min(drawn, 1 - drawn);
    return cuts ? cutOut(share, own, height, width) : { share, box: null };
  });
  const images = Object.entries(batch).filter(([name]) => IMAGES.test(name));
  return {
    ...batch,
    ...Object.fromEntries(images.map(([name, tensor]) => [name, mixed(tensor, partners, mixtures)])),
    [OTHER_LABEL]: { data: Float32Array.from(partners, (partner) => label.data[partner]), shape: [count] },
    [OTHER_SHARE]: { data: Float32Array.from(mixtures, ({ share }) => share), shape: [count] },
  };
}

/** What becomes of an image. */
interface Mixture {
  /** How much of it is the other one's. */
  readonly share: number;
  /** Where that is, in parts of height and width; `null`: everywhere, by the share. */
  readonly box: { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number } | null;
}

/** A rectangle of whole pixels within the image, whose centre is anywhere: the share is what of it lies within. */
function cutOut(share: number, random: Random, height: number, width: number): Mixture {
  const [tall, wide] = [height, width].map((length) => length * Math.sqrt(share));
  const [y, x] = [random.uniform() * height, random.uniform() * width];
  const edge = (place: number, length: number) => Math.min(length, Math.max(0, Math.round(place)));
  const [top, bottom] = [edge(y - tall / 2, height), edge(y + tall / 2, height)];
  const [left, right] = [edge(x - wide / 2, width), edge(x + wide / 2, width)];
  return {
    share: (bottom - top) * (right - left) / (height * width),
    box: { top: top / height, bottom: bottom / height, left: left / width, right: right / width },
  };
}

function mixed({ data, shape }: HostTensor, partners: Uint32Array, mixtures: readonly Mixture[]): HostTensor {
  const [, height, width, channels] = shape;
  const size = height * width * channels;
  const out = data.slice();
  for (const [index, { share, box }] of mixtures.entries()) {
    const [own, other] = [index * size, partners[index] * size];
    if (!box) {
      for (let at = 0; at < size; at++) out[own + at] = (1 - share) * data[own + at] + share * data[other + at];
      continue;
    }
    const [left, right] = [Math.round(box.left * width), Math.round(box.right * width)];
    for (let y = Math.round(box.top * height); y < Math.round(box.bottom * height); y++) {
      const [begin, end] = [(y * width + left) * channels, (y * width + right) * channels];
      out.set(data.subarray(other + begin, other + end), own + begin);
    }
  }
  return { data: out, shape };
}

/** A number of the distribution Beta(alpha, alpha): of two gamma numbers the part that the first is of both. */
export function beta(random: Random, alpha: number): number {
  // Of logarithms, as small alphas give numbers that are too small for a double.
  const [a, b] = [logGamma(random, alpha), logGamma(random, alpha)];
  return 1 / (1 + Math.exp(b - a));
}

/** The logarithm of a number of the gamma distribution (Marsaglia and Tsang 2000). */
function logGamma(random: Random, shape: number): number {
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  for (;;) {
    const x = random.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < x * x / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
