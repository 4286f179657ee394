import type { FileSource, FileTensor, FileTensors } from "../../../core/plugin/model.ts";
import { bicubic, type Grid } from "./bicubic.ts";
import { gridIn } from "./hugging_face.ts";
import { EMBEDDINGS, learnedTokens } from "./names.ts";
import type { VitSizes } from "./sizes.ts";

/**
 * A file's tensors with its position embeddings for this model's images. Those of the patches are interpolated as by
 * Hugging Face's `interpolate_pos_encoding`; those of the class and distillation tokens stay. What grid they had, the
 * config.json says; without one it is a square.
 */
export function resizePositions(tensors: FileTensors, sizes: VitSizes, { config, report }: FileSource): FileTensors {
  const { variant, image: [height, imageWidth], patch, patches } = sizes;
  const name = `${variant}.${EMBEDDINGS.positions}`;
  const stored = tensors.get(name);
  if (stored?.shape.length !== 3) return tensors;
  const kept = learnedTokens(sizes).length;
  const count = stored.shape[1] - kept;
  const to: Grid = [height / patch, imageWidth / patch];
  const known = config && gridIn(config);
  const from = known && known[0] * known[1] === count ? known : count === patches ? to : squareOf(count);
  if (!from || from.join() === to.join()) return tensors;
  report(`position embeddings of ${from.join(" x ")} patches are interpolated to ${to.join(" x ")}`);
  return new Map([...tensors, [name, resized(stored, kept, from, to)]]);
}

function squareOf(count: number): Grid | null {
  const side = Math.sqrt(count);
  return side >= 1 && Number.isInteger(side) ? [side, side] : null;
}

function resized({ shape: [one, , width], numbers }: FileTensor, kept: number, from: Grid, to: Grid): FileTensor {
  const shape = [one, kept + to[0] * to[1], width];
  return {
    shape,
    numbers: () => {
      const values = numbers();
      const result = new Float32Array(shape[1] * width);
      result.set(values.subarray(0, kept * width));
      result.set(bicubic(values.subarray(kept * width), from, to, width), kept * width);
      return result;
    },
  };
}
