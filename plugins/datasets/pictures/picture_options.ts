import { RESAMPLING, type Resampling } from "../../../core/data/resize.ts";
import type { OptionKit } from "../../../core/plugin/kit.ts";
import { bounded } from "../../../core/recipe/bounds.ts";
import { type ImageOptions, imageOptions } from "../image_options.ts";
import { ON_BAD, type OnBad } from "../text/bad_examples.ts";

/** What data sets of picture files have. */
export interface PictureOptions extends Omit<ImageOptions, "takeTrain" | "takeTest"> {
  readonly size: number | readonly [height: number, width: number] | null;
  readonly fit: "stretch" | "crop";
  readonly shortest: number | null;
  readonly resample: Resampling;
  readonly processor: string | null;
  readonly channels: 1 | 3;
  readonly background: readonly number[] | "drop" | null;
  readonly orient: boolean;
  readonly onBad: OnBad;
  readonly memory: number;
  readonly cache: boolean;
  readonly threads: number | null;
}

/** The schema's part for {@link PictureOptions}. */
export function pictureOptions(kit: OptionKit) {
  const { z } = kit;
  const { mean, std, groups } = imageOptions(kit);
  const side = bounded(z.int().min(1).max(2 ** 13), "no model takes larger images");
  const byte = bounded(z.int().min(0).max(255), "a colour has 8 bits");
  return {
    size: z.union([side, z.tuple([side, side])]).nullable().default(null).describe(
      "Size of the images for the model: a side, or [height, width]; null: that of the pictures, which is then the same",
    ),
    fit: z.enum(["stretch", "crop"]).default("stretch").describe(
      "How a picture gets that size: stretch to it, or resize it as a whole and crop its middle",
    ),
    shortest: side.nullable().default(null).describe(
      "With fit: crop, what the shorter side is resized to before (256 with size: 224 is usual); null: no more than needed",
    ),
    resample: z.enum(RESAMPLING).default("bilinear").describe("Filter of resizing, by Pillow's names; all smooth"),
    processor: z.string().min(1).nullable().default(null).describe(
      "Instead of these: a folder with preprocessor_config.json, such as the teacher's, or that file, which says size, filter, mean and deviation",
    ),
    channels: z.union([z.literal(1), z.literal(3)]).default(3).describe(
      "1: grey, 3: red, green, blue; pictures of the other kind are turned into it",
    ),
    background: z.union([z.literal("drop"), z.tuple([byte, byte, byte])]).nullable().default(null).describe(
      "What is behind transparent pixels: [red, green, blue] from 0 to 255; drop: nothing, their colours count as stored; null: such pictures are refused",
    ),
    orient: z.boolean().default(true).describe("Turn pictures as their EXIF data say"),
    mean,
    std,
    groups,
    onBad: z.enum(ON_BAD).default("refuse").describe(
      "What is done about pictures that are damaged or missing: refuse the first, or skip them all, and say how many and the first of them",
    ),
    memory: bounded(z.int().min(1).max(2 ** 20), "no memory has more MiB").default(1024).describe(
      "MiB of pixels that are held in memory; of a larger set each batch is read from runs/cache, or decoded again",
    ),
    cache: z.boolean().default(true).describe(
      "Keep decoded pixels in runs/cache, by the pictures' hashes, so that later runs need not decode them",
    ),
    threads: bounded(z.int().min(1).max(64), "each takes the memory of a decoder and of a picture").nullable().default(
      null,
    ).describe(
      "Threads that decode; 1: the program's own; null: one for each processor up to 8, if there is enough to do",
    ),
  };
}

/** What is wrong with options together, and the key that it is told of. */
export interface Disagreement {
  readonly path: (keyof PictureOptions)[];
  readonly message: string;
}

/** Refuses options that say the same twice, or that nothing would come of; `null` if they agree. */
export function disagreement({ size, fit, shortest, resample, processor }: PictureOptions): Disagreement | null {
  const key = shortest === null ? "fit" : "shortest";
  if (processor !== null && (size !== null || fit !== "stretch" || shortest !== null || resample !== "bilinear")) {
    const message = "Expected either processor, or size, fit, shortest and resample, as the processor's file says " +
      "them: got both";
    return { path: ["processor"], message };
  }
  if (size === null && (fit === "crop" || shortest !== null)) {
    return { path: [key], message: `Expected a size to crop to with ${key}: got none` };
  }
  if (shortest === null) return null;
  if (fit !== "crop") {
    const message = "Expected fit: crop with shortest, as what is stretched has no shorter side to go by: got " +
      `fit: ${fit}`;
    return { path: [key], message };
  }
  const least = Math.max(...[size!].flat());
  if (shortest >= least) return null;
  const message = `Expected shortest to be at least ${least}, the longest side of size, as less leaves black around ` +
    `the picture: got ${shortest}`;
  return { path: [key], message };
}
