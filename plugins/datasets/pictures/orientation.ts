import type { Picture } from "../../../core/data/resize.ts";

/**
 * A picture turned as EXIF says it is to be seen.
 *
 * @param orientation from 1, as it is, to 8
 */
export function upright(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture;
  const { pixels, height, width, channels } = picture;
  // Those from 5 on have rows for columns; then these are mirrored.
  const isTransposed = orientation >= 5;
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  const [tall, wide] = isTransposed ? [width, height] : [height, width];
  const out = new Uint8Array(pixels.length);
  for (let y = 0, to = 0; y < tall; y++) {
    for (let x = 0; x < wide; x++, to += channels) {
      const [row, column] = isTransposed ? [x, y] : [y, x];
      const from = ((fromBelow ? height - 1 - row : row) * width + (fromRight ? width - 1 - column : column)) *
        channels;
      for (let c = 0; c < channels; c++) out[to + c] = pixels[from + c];
    }
  }
  return { pixels: out, height: tall, width: wide, channels };
}
