import type { Picture } from "../../core/data/resize.ts";

/** The picture that `tests/golden/image_processors.py` makes of a size. */
export function goldenPicture(height: number, width: number, channels: number): Picture {
  const pixels = new Uint8Array(height * width * channels);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, at++) pixels[at] = x * x + 3 * y * y + 7 * x * y + 40 * c + 5 * x * c;
    }
  }
  return { pixels, height, width, channels };
}
