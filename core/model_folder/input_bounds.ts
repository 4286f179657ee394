import type { CountBounds } from "../plugin/config_values.ts";

type Key = "height" | "width" | "channels" | "vocabulary" | "maxLength" | "padding";

const SIDE = { most: 2 ** 14, reason: "a batch of one such image takes gigabytes" };

/** The sizes that a saved model's inputs may have, whoever wrote its config.json. */
export const INPUT_BOUNDS: Readonly<Record<Key, CountBounds & { readonly reason: string }>> = {
  height: SIDE,
  width: SIDE,
  channels: { most: 2 ** 10, reason: "images have 1 or 3, pictures of satellites some hundreds" },
  vocabulary: { most: 2 ** 24, reason: "each is one more row of a matrix" },
  maxLength: { most: 2 ** 24, reason: "each is one more row of a matrix" },
  padding: { least: 0, most: 2 ** 24, reason: "it is the number of a token" },
};
