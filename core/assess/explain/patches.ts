/** An image in patches, row by row; its sides need not be multiples of their number. */
export interface Patches {
  readonly height: number;
  readonly width: number;
  readonly count: number;
  /** The patch of each pixel, `[height, width]`. */
  readonly of: Uint16Array;
}

/** So many patches down and across, as alike in size as can be. */
export function patchesOf(height: number, width: number, rows: number, columns: number): Patches {
  const [down, across] = [Math.min(rows, height), Math.min(columns, width)];
  const of = Uint16Array.from({ length: height * width }, (_, at) => {
    const [y, x] = [Math.floor(at / width), at % width];
    return Math.floor(y * down / height) * across + Math.floor(x * across / width);
  });
  return { height, width, count: down * across, of };
}

/** Down and across of a sequence of patches of an image: as many as there are, in its proportions; `null`: none are. */
export function gridOf(
  patches: number,
  height: number,
  width: number,
): readonly [rows: number, columns: number] | null {
  const rows = Math.sqrt(patches * height / width);
  const whole = Math.round(rows);
  return whole > 0 && Math.abs(rows - whole) < 1e-9 && patches % whole === 0 ? [whole, patches / whole] : null;
}

/** Numbers of patches, at their pixels. */
export function atPixels(values: ArrayLike<number>, { of }: Patches): Float64Array {
  return Float64Array.from(of, (patch) => values[patch]);
}
