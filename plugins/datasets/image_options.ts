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

/** Schema entries of the options that all image data sets have. */
export function imageOptions({ z }: OptionKit) {
  const take = (split: string) =>
    z.int().min(1).nullable().default(null).describe(`Use only so many of the first ${split} images; null: all`);
  return {
    mean: z.array(z.number()).min(1).nullable().default(null).describe(
      "Mean of each channel of the pixels in [0, 1]; null: measured on the training images",
    ),
    std: z.array(z.number().positive()).min(1).nullable().default(null).describe(
      "Standard deviation of each channel; null: measured on the training images",
    ),
    takeTrain: take("training"),
    takeTest: take("test"),
    classes: z.array(z.string()).min(2).nullable().default(null).describe("Names of the classes; null: the usual ones"),
    groups: z.record(z.string().min(1), z.array(z.union([z.string(), z.int().min(0)])).min(1))
      .refine((groups) => Object.keys(groups).length >= 2, { error: "Expected at least two groups" })
      .nullable().default(null).describe(
        "Groups that take the classes' place, each a list of classes by name, or by number from 0; null: the classes",
      ),
  };
}
