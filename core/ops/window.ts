/** How a window (a filter, a pool) moves over an image, the same along both axes. */
export interface WindowOptions {
  /** Pixels from one position to the next; 1 by default. */
  readonly stride?: number;
  /** Pixels added on every side of the image; 0 by default. */
  readonly padding?: number;
}

/** How the filters of a convolution move over an image, and which channels each sees. */
export interface ConvOptions extends WindowOptions {
  /** Pixels from one tap of a filter to the next, along both axes; 1 by default. */
  readonly dilation?: number;
  /** Parts of the channels that do not see each other; 1 by default, as many as channels for a depthwise one. */
  readonly groups?: number;
}

/**
 * Positions of a window along one axis of an image.
 *
 * @param action what is being done, the beginning of the error's sentence
 * @throws RangeError if the window does not fit once, or the options are not whole numbers in their range
 */
export function outputExtent(
  action: () => string,
  extent: number,
  window: number,
  stride: number,
  padding: number,
): number {
  if (!Number.isInteger(stride) || stride < 1) {
    throw new RangeError(`${action()} with stride ${stride}: it must be a whole number from 1 on`);
  }
  if (!Number.isInteger(padding) || padding < 0) {
    throw new RangeError(`${action()} with padding ${padding}: it must be a whole number from 0 on`);
  }
  if (window > extent + 2 * padding) {
    throw new RangeError(`${action()} as ${window} pixels do not fit into ${extent} with padding ${padding}`);
  }
  return Math.floor((extent + 2 * padding - window) / stride) + 1;
}
