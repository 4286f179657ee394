/** Images of one size, channels last. */
export interface Images {
  /** [count, height, width, channels], row-major: bytes from 0 to 255, or floats from 0 to 1. */
  readonly pixels: Uint8Array | Float32Array;
  /** Where an image begins in `pixels`, if not all are there, or they stand in another order. */
  readonly placeOf?: (index: number) => number;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Images with the class of each. */
export interface LabelledImages extends Images {
  /** [count], each from 0 up to but not the number of classes. */
  readonly labels: Uint8Array | Uint16Array;
  /** [count]: 1 for each image that has a label, 0 for one whose label says nothing; missing where all have. */
  readonly labelled?: Uint8Array;
}
