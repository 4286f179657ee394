import { Random } from "../../data/random.ts";
import type { Batch, HostTensor, InputDescription, Task } from "../dataset.ts";

/** Height and width of made-up images unless others are asked for. */
const IMAGE_SIZE: ImageSize = [8, 8];

/** Height and width of images. */
export type ImageSize = readonly [height: number, width: number];

/** Kinds of data that a loss or a model may be made for, in the order in which they are tried. */
export function datasOf(imageSize: ImageSize = IMAGE_SIZE): readonly InputDescription[] {
  return [images(imageSize), text("classification"), text("regression"), text("tagging"), text("multi-label")];
}

/** The same data of larger images, each twice as high and wide as the one before; none of texts. */
export function largerImages({ image }: InputDescription): readonly InputDescription[] {
  if (!image) return [];
  const [height, width] = image.size;
  return [2, 4, 8].map((factor) => images([height * factor, width * factor]));
}

/** `classification of images`, for people. */
export function nameOf({ task, image }: InputDescription): string {
  return `${task} of ${image ? "images" : "text"}`;
}

function images([height, width]: ImageSize): InputDescription {
  return {
    task: "classification",
    classes: ["a", "b", "c", "d"],
    image: { size: [height, width, 3], normalise: { mean: [0, 0, 0], std: [1, 1, 1] } },
    text: null,
  };
}

function text(task: Task): InputDescription {
  const named = ["a", "b", "c", "d"];
  const classes = {
    classification: named,
    regression: [],
    tagging: ["O", "B-a", "I-a"],
    "multi-label": named,
    embedding: [],
  }[task];
  return { task, classes, image: null, text: { vocabulary: 20, maxLength: 6, padding: 0, files: {} } };
}

/** A batch of made-up examples as a data set of this description gives it; every text but the first is padded. */
export function madeUpBatch(data: InputDescription, size: number): Batch<HostTensor> {
  const random = new Random(11);
  const filled = (shape: number[], number: (place: number) => number): HostTensor => {
    const length = shape.reduce((product, extent) => product * extent, 1);
    return { shape, data: Float32Array.from({ length }, (_, place) => number(place)) };
  };
  const classOf = () => random.below(data.classes.length);
  if (data.image) {
    return {
      image: filled([size, ...data.image.size], () => random.normal()),
      label: filled([size], classOf),
    };
  }
  const { vocabulary, maxLength: length, padding } = data.text!;
  const isToken = (place: number) => place % length < length - Math.floor(place / length) % 3;
  const tokens = filled([size, length], (place) => isToken(place) ? 1 + random.below(vocabulary - 1) : padding);
  return {
    tokens,
    types: filled([size, length], (place) => place % length < length / 2 ? 0 : 1),
    mask: filled([size, length], (place) => isToken(place) ? 1 : 0),
    label: data.task === "tagging"
      ? filled([size, length], (place) => isToken(place) && place % length > 0 ? classOf() : -1)
      : data.task === "multi-label"
      ? filled([size, data.classes.length], () => random.below(2))
      : filled([size], data.task === "regression" ? () => 5 * random.uniform() : classOf),
  };
}
