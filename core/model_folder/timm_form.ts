import type { ImageForm } from "../data/image_form.ts";
import type { Resampling } from "../data/resize.ts";
import { UserError } from "../errors.ts";
import { showJson } from "../json.ts";
import type { ImageInput } from "../plugin/dataset.ts";
import type { ForeignConfig } from "../plugin/saved_options.ts";

/** Sides beyond this are no pictures'. */
const MOST = 8192;

const FILTERS: readonly Resampling[] = ["nearest", "bilinear", "bicubic", "lanczos"];

/** The part of a picture's shorter side that is kept where the file does not say it. */
const CROPPED_PART = 0.875;

/**
 * In what form a model of timm takes images, as the `pretrained_cfg` of its config.json says it and timm itself makes
 * them: the shorter side is brought to a length of which the middle is cut out.
 *
 * @param file the config.json, for messages
 * @returns `null` for a config without one
 * @throws UserError for what is not understood
 */
export function timmForm(config: ForeignConfig, file: string, { size }: ImageInput): ImageForm | null {
  const stated = config.pretrained_cfg;
  if (typeof stated !== "object" || stated === null) return null;
  const own = stated as Readonly<Record<string, unknown>>;
  const [height, width, channels] = size;
  const refuse = (key: string, expected: string) =>
    new UserError(`Cannot make images by "${file}": expected ${expected} for ${key}, got ${showJson(own[key])}`);
  const perChannel = (key: string, isRight: (value: number) => boolean): number[] => {
    const given = own[key];
    const isWhole = Array.isArray(given) && given.length === channels &&
      given.every((value) => typeof value === "number" && Number.isFinite(value) && isRight(value));
    if (isWhole) return given;
    throw refuse(key, `${channels} number${channels === 1 ? "" : "s"}${key === "std" ? " above 0" : ""}`);
  };
  const sides = Array.isArray(own.input_size) ? own.input_size.slice(1) : [];
  if (sides.length !== 2 || !sides.every(isSide)) throw refuse("input_size", `channels and two sides up to ${MOST}`);
  const crop: readonly [number, number] = [sides[0], sides[1]];
  const { crop_pct: part = CROPPED_PART, crop_mode: mode = "center", interpolation = "bicubic" } = own;
  if (typeof part !== "number" || !(part > 0 && part <= 1)) throw refuse("crop_pct", "a number above 0, at most 1");
  const resampling = FILTERS.find((filter) => filter === interpolation);
  if (!resampling) throw refuse("interpolation", `one of ${FILTERS.join(", ")}`);
  if (mode !== "center" && mode !== "squash") throw refuse("crop_mode", "center or squash");
  const scaled = crop.map((side) => Math.floor(side / part));
  const [shorter, longer] = [Math.min(height, width), Math.max(height, width)];
  // Sides that are not alike are each brought to their own length.
  const isShorter = mode === "center" && scaled[0] === scaled[1];
  const other = Math.trunc(scaled[0] * longer / shorter);
  const to = !isShorter ? scaled : height <= width ? [scaled[0], other] : [other, scaled[0]];
  if (!to.every(isSide)) throw refuse("input_size", `sides up to ${MOST} of pictures of ${height} x ${width} pixels`);
  return {
    // With torchvision's CenterCrop.
    resize: { to: [to[0], to[1]], resampling, crop, rounding: "half-even" },
    normalise: { mean: perChannel("mean", () => true), std: perChannel("std", (value) => value > 0) },
  };
}

function isSide(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST;
}
