import { refuse } from "./picture_format.ts";

/** How the pixels of a PNG are stored. */
export interface PngLayout {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  /** Samples of a pixel. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly interlaced: boolean;
}

/** Pixels that are stored as a picture of their own: every `across`-th of every `down`-th row. */
interface Pass {
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
  readonly width: number;
  readonly height: number;
  /** Bytes of a row, without that of its filter. */
  readonly row: number;
}

/** Left, top, across and down of an interlaced picture's seven (Adam7). */
const ADAM7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

function passesOf({ width, height, depth, channels, interlaced }: PngLayout): Pass[] {
  return (interlaced ? ADAM7 : [[0, 0, 1, 1]]).map(([left, top, across, down]) => {
    const own = Math.max(0, Math.ceil((width - left) / across));
    const tall = Math.max(0, Math.ceil((height - top) / down));
    return { left, top, across, down, width: own, height: tall, row: Math.ceil(own * channels * depth / 8) };
  }).filter(({ width, height }) => width > 0 && height > 0);
}

/** Bytes of all rows, each behind one that says its filter. */
export function bytesOfSamples(layout: PngLayout): number {
  return passesOf(layout).reduce((sum, { row, height }) => sum + (1 + row) * height, 0);
}

/** The samples `[height, width, channels]` of rows, whose filters are undone in place. @throws BadPicture */
export function samplesOf(rows: Uint8Array, layout: PngLayout): Uint8Array | Uint16Array {
  const { width, height, depth, channels } = layout;
  const samples = new (depth === 16 ? Uint16Array : Uint8Array)(width * height * channels);
  const distance = Math.ceil(depth * channels / 8);
  let begin = 0;
  for (const pass of passesOf(layout)) {
    for (let y = 0; y < pass.height; y++, begin += 1 + pass.row) {
      unfilter(rows, begin + 1, pass.row, distance, y === 0 ? -1 : begin - pass.row);
      const to = ((pass.top + y * pass.down) * width + pass.left) * channels;
      place(rows, begin + 1, pass, depth, channels, samples, to);
    }
  }
  return samples;
}

/** Puts a row's samples where they belong. */
function place(
  rows: Uint8Array,
  begin: number,
  { width, across, row }: Pass,
  depth: number,
  channels: number,
  samples: Uint8Array | Uint16Array,
  to: number,
): void {
  if (depth === 8 && across === 1) return samples.set(rows.subarray(begin, begin + row), to);
  const [most, each] = [2 ** depth - 1, 8 / depth];
  for (let x = 0, from = 0; x < width; x++, to += across * channels) {
    for (let c = 0; c < channels; c++, from++) {
      samples[to + c] = depth === 16
        ? rows[begin + 2 * from] << 8 | rows[begin + 2 * from + 1]
        : depth === 8
        ? rows[begin + from]
        : rows[begin + Math.floor(from / each)] >> (8 - depth * (from % each + 1)) & most;
    }
  }
}

/**
 * Undoes the filter of a row of `length` bytes, which the byte before it names.
 *
 * @param distance bytes to the same sample of the pixel before
 * @param above where the row above begins; -1 above the first: zeros
 */
function unfilter(rows: Uint8Array, begin: number, length: number, distance: number, above: number): void {
  const filter = rows[begin - 1];
  if (filter > 4) refuse(`its data are damaged: a row has the filter ${filter}`);
  if (filter === 0 || filter === 2 && above < 0) return;
  for (let at = 0; at < length; at++) {
    const left = at < distance ? 0 : rows[begin + at - distance];
    const up = above < 0 ? 0 : rows[above + at];
    if (filter === 1) rows[begin + at] += left;
    else if (filter === 2) rows[begin + at] += up;
    else if (filter === 3) rows[begin + at] += (left + up) >> 1;
    else {
      const corner = at < distance || above < 0 ? 0 : rows[above + at - distance];
      const [byLeft, byUp, byCorner] = [
        Math.abs(up - corner),
        Math.abs(left - corner),
        Math.abs(left + up - 2 * corner),
      ];
      rows[begin + at] += byLeft <= byUp && byLeft <= byCorner ? left : byUp <= byCorner ? up : corner;
    }
  }
}
