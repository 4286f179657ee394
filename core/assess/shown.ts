import type { Calibration } from "../evaluate/metrics/calibration.ts";

/** A part of what an assessment shows; numbers are texts already. It is a JSON value, which `assess.json` keeps. */
export type Shown = ShownTable | ShownChart | ShownNote | ShownPictures | ShownTexts | ShownReliability;

/** A table whose first column has names; in every form of output. */
export interface ShownTable {
  readonly kind: "table";
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A sentence; in every form of output. */
export interface ShownNote {
  readonly kind: "note";
  readonly text: string;
  /** Whether it is to be seen at once: something is wrong. */
  readonly warning?: boolean;
}

/** Lines over an axis; on pages. */
export interface ShownChart {
  readonly kind: "chart";
  readonly title: string;
  /** A sentence below the title. */
  readonly note?: string;
  readonly xLabel: string;
  /** `x` and `y` of each point. */
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
  /** How heights are written at the axis, as d3-format has it: `.0%`. */
  readonly format?: string;
}

/** Pictures beside each other; on pages, and a file of them all. */
export interface ShownPictures {
  readonly kind: "pictures";
  readonly title: string;
  readonly note?: string;
  /** How many stand in a row, where they are larger; left out: as many as there is room for. */
  readonly columns?: number;
  readonly pictures: readonly ShownPicture[];
}

/** One of them. */
export interface ShownPicture {
  /** What stands below it. */
  readonly caption: string;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** `[height, width, channels]`, a byte each, in base64: see `toBase64`. */
  readonly pixels: string;
}

/** Texts of which words are coloured; on pages. */
export interface ShownTexts {
  readonly kind: "texts";
  readonly title: string;
  readonly note?: string;
  readonly texts: readonly {
    readonly caption: string;
    /** The text in pieces, spaces included, with a weight from -1 (against) to 1 (for). */
    readonly pieces: readonly { readonly text: string; readonly weight: number }[];
  }[];
}

/** A reliability diagram: how often answers of some certainty are right; on pages. */
export interface ShownReliability {
  readonly kind: "reliability";
  readonly title: string;
  readonly calibration: Calibration;
}
