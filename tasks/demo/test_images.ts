import { decodeIdx, type IdxArray } from "../../plugins/datasets/idx_format.ts";
import { bytesOf } from "./memory.ts";
import type { Sample } from "./messages.ts";

const FOLDER = "plugins/datasets/data/fashion-mnist";

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
