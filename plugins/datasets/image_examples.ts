import { augmentImages, type Normalisation, normaliseImages } from "../../core/data/image_augment.ts";
import { hasFurther } from "../../core/data/image_change.ts";
import type { Images, LabelledImages } from "../../core/data/images.ts";
import type { Augmentation, Examples, HostTensor } from "../../core/plugin/dataset.ts";
import { labelTensors } from "../../core/plugin/labelled.ts";

/**
 * The first `take` of some images, or all, and further ones behind them, as examples: `image [batch, height, width,
 * channels]`, `label [batch]`, and `labelled [batch]` where images have no label.
 *
 * @param further images without labels
 */
export function imageExamples(
  given: LabelledImages,
  normalise: Normalisation,
  take: number | null,
  further: readonly Images[] = [],
): Examples {
  const images = withUnlabelled(given, Math.min(given.count, take ?? given.count), further);
  const { count: length, labelled } = images;
  const labels = labelled ? Int32Array.from(images.labels, (own, index) => labelled[index] ? own : -1) : images.labels;
  return {
    length,
    labels,
    ...(labelled && { labelled }),
    batch: (indices, augmentation) => ({
      image: imageBatch(images, normalise, indices, augmentation),
      ...labelTensors(labels, labelled, indices),
    }),
  };
}

/** Some images, changed at random if `augmentation` is given, and normalised. */
export function imageBatch(
  images: Images,
  normalise: Normalisation,
  indices: Uint32Array,
  augmentation: Augmentation | undefined,
): HostTensor {
  const { height, width, channels } = images;
  const data = new Float32Array(indices.length * height * width * channels);
  if (augmentation && (augmentation.flip || augmentation.shift > 0 || hasFurther(augmentation))) {
    augmentImages(images, indices, normalise, augmentation, augmentation, data);
  } else normaliseImages(images, indices, normalise, data);
  return { data, shape: [indices.length, height, width, channels] };
}

/** The first images of a list, and behind them others that have no label. */
function withUnlabelled(given: LabelledImages, take: number, further: readonly Images[]): LabelledImages {
  const { height, width, channels } = given;
  const [labels, labelled] = [given.labels.subarray(0, take), given.labelled?.subarray(0, take)];
  const more = further.reduce((sum, { count }) => sum + count, 0);
  const size = height * width * channels;
  const pixels = given.pixels.subarray(0, take * size);
  if (more === 0) return { ...given, pixels, count: take, labels, ...(labelled && { labelled }) };
  const count = take + more;
  const joined = {
    pixels: new Uint8Array(count * size),
    labels: new Uint8Array(count),
    labelled: new Uint8Array(count),
  };
  joined.pixels.set(pixels);
  joined.labels.set(labels);
  joined.labelled.set(labelled ?? new Uint8Array(take).fill(1));
  let place = take;
  for (const { pixels, count } of further) {
    joined.pixels.set(pixels, place * size);
    place += count;
  }
  return { height, width, channels, count, ...joined };
}
