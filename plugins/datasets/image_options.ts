import { bounded, exampleCount } from "../../core/recipe/bounds.ts";
import type { OptionKit } from "../../core/plugin/kit.ts";
import type { ClassGroups } from "./image_groups.ts";

/** Options that all image data sets have. */
export interface ImageOptions {
  readonly mean: number[] | null;
  readonly std: number[] | null;
  readonly takeTrain: number | null;
  readonly takeTest: number | null;
  readonly classes: string[] | null;
  readonly groups: ClassGroups | null;
}

/** Why means and deviations are small. */
const PIXELS = "pixels are from 0 to 1 here, not to 255";

/** Schema entries of the options that all image data sets have. */
export function imageOptions({ z }: OptionKit) {
  const take = (split: string) =>
    exampleCount.nullable().default(null).describe(`Use only so many of the first ${split} images; null: all`);
  return {
    mean: z.array(bounded(z.number().min(0).max(1), PIXELS)).min(1).nullable().default(null).describe(
      "Mean of each channel of the pixels in [0, 1]; null: measured on the training images",
    ),
    std: z.array(bounded(z.number().min(1e-6).max(1), PIXELS)).min(1).nullable().default(null).describe(
      "Standard deviation of each channel; null: measured on the training images",
    ),
    takeTrain: take("training"),
    takeTest: take("test"),
    classes: z.array(z.string()).min(2).nullable().default(null).describe("Names of the classes; null: the usual ones"),
    groups: z.record(
      z.string().min(1),
      z.array(z.union([z.string(), bounded(z.int().min(0).max(2 ** 16), "labels have 16 bits")])).min(1),
    )
      .refine((groups) => Object.keys(groups).length >= 2, { error: "Expected at least two groups" })
      .nullable().default(null).describe(
        "Groups that take the classes' place, each a list of classes by name, or by number from 0; null: the classes",
      ),
  };
}
