import type { ImageInput } from "../plugin/dataset.ts";

/** Numbers of channels that transformers knows for such; with others it would not find them among a picture's sides. */
const CHANNELS = [1, 3];

/** Pillow's bilinear interpolation, for pictures of another size. */
const BILINEAR = 2;

/**
 * The file of Hugging Face's image processor: it makes of pictures what the data set made of them. Its pipelines read a
 * picture's file in three channels, so that a model of one takes arrays or grey pictures there. For any other number of
 * channels there is no file.
 */
export function imageProcessorFiles(
  { size: [height, width, channels], normalise: { mean, std } }: ImageInput,
): Readonly<Record<string, Uint8Array>> {
  if (!CHANNELS.includes(channels)) return {};
  const config = {
    image_processor_type: "ViTImageProcessor",
    do_resize: true,
    size: { height, width },
    resample: BILINEAR,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
  return { "preprocessor_config.json": new TextEncoder().encode(JSON.stringify(config, null, 2) + "\n") };
}
