import { orderOfClasses, sayNothing } from "../../core/plugin/class_names.ts";
import { decodeIdx, type IdxArray } from "../../plugins/datasets/idx_format.ts";
import { bytesOf } from "./memory.ts";
import type { Sample } from "./messages.ts";

const FOLDER = "plugins/datasets/data/fashion-mnist";

/**
 * The number of the test images' class for each class of a model, by their names; of a model that has none by their
 * order.
 *
 * @returns `null` if the model has other classes
 */
export function orderInTestImages(own: readonly string[], testClasses: readonly string[]): readonly number[] | null {
  const isUnnamed = own.length === testClasses.length && sayNothing(own, testClasses);
  return isUnnamed ? [...own.keys()] : orderOfClasses(own, testClasses);
}

/** Test images, unpacked when they are first asked for. */
let unpacked: Promise<readonly [images: IdxArray, labels: IdxArray]> | null = null;

function unpack() {
  const read = async (name: string) => await decodeIdx(await bytesOf(`${FOLDER}/${name}`), name);
  return unpacked ??= Promise.all([read("t10k-images-idx3-ubyte.gz"), read("t10k-labels-idx1-ubyte.gz")]);
}

/** A test image and the number of its class. */
export interface TestImage {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly size: Sample["size"];
  readonly label: number;
}

/** The test images in the order of their file. */
export async function testImages(): Promise<readonly TestImage[]> {
  const [images, labels] = await unpack();
  const [, height, width] = images.dimensions;
  return Array.from(labels.values, (label, index) => {
    const pixels = images.values.slice(index * height * width, (index + 1) * height * width);
    return { pixels, size: [height, width], label };
  });
}
