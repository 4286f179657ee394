import { augmentImages, type Normalisation, normaliseImages } from "../../core/data/image_augment.ts";
import { hasFurther } from "../../core/data/image_change.ts";
import type { LabelledImages } from "../../core/data/images.ts";
import type { Examples } from "../../core/plugin/dataset.ts";

/**
 * The first `take` of some images, or all, as examples: `image [batch, height, width, channels]` and `label [batch]`.
 */
export function imageExamples(images: LabelledImages, normalise: Normalisation, take: number | null): Examples {
  const { count, height, width, channels, labels } = images;
  const length = Math.min(count, take ?? count);
  const size = height * width * channels;
  return {
    length,
    labels: labels.subarray(0, length),
    batch(indices, augmentation) {
      const data = new Float32Array(indices.length * size);
      if (augmentation && (augmentation.flip || augmentation.shift > 0 || hasFurther(augmentation))) {
        augmentImages(images, indices, normalise, augmentation, augmentation, data);
      } else normaliseImages(images, indices, normalise, data);
      return {
        image: { data, shape: [indices.length, height, width, channels] },
        label: { data: Float32Array.from(indices, (index) => labels[index]), shape: [indices.length] },
      };
    },
  };
}
