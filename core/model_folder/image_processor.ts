import type { ImageInput } from "../plugin/dataset.ts";

/** Numbers of channels that transformers finds among an array's sides by itself. */
const CHANNELS = [1, 3];

/** Pillow's bilinear interpolation, for pictures of another size. */
const BILINEAR = 2;

/**
 * The file of Hugging Face's image processor, which makes of pictures what the data set makes of its images; those of
 * another size are resized first. Where a model takes one channel, the processor takes grey pictures or arrays, but a
 * pipeline arrays alone, as it turns every picture into three channels. Of other numbers of channels there is no file.
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
