import { hasLetters, type PictureFormat, Reader, refuse, TRUNCATED } from "./picture_format.ts";

/** What the heads of a file say. */
interface Heads {
  readonly width: number;
  readonly height: number;
  /** Whether the first row stands first. */
  readonly downwards: boolean;
  /** Bits of a pixel. */
  readonly bits: number;
  readonly pixels: number;
  /** Where colours begin, how many there are, and the bytes of each. */
  readonly palette: { readonly begin: number; readonly count: number; readonly step: number };
  /** Which bits of a pixel are red, green and blue, and opacity; `null` for colours of a palette. */
  readonly masks: readonly number[] | null;
}

/** Windows bitmaps (BMP) without compression, of 1 to 32 bits a pixel. */
export const bmp: PictureFormat = {
  name: "BMP",
  begins: (bytes) => hasLetters(bytes, 0, "BM"),
  look(bytes) {
    const { width, height, bits, pixels } = headsOf(bytes);
    if (pixels + rowLength(width, bits) * height > bytes.length) refuse(TRUNCATED);
    return { width, height, orientation: 1 };
  },
  decode(bytes) {
    const { width, height, downwards, bits, pixels, palette, masks } = headsOf(bytes);
    const reader = new Reader(bytes, true);
    const channels = masks && masks[3] !== 0 ? 4 : 3;
    const out = new Uint8Array(width * height * channels);
    const row = rowLength(width, bits);
    const scaled = masks?.map(scaling) ?? [];
    for (let y = 0, to = 0; y < height; y++) {
      const begin = pixels + (downwards ? y : height - 1 - y) * row;
      for (let x = 0; x < width; x++, to += channels) {
        if (masks) {
          const at = begin + x * bits / 8;
          const pixel = bits === 16
            ? reader.short(at)
            : bits === 24
            ? bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16
            : reader.long(at);
          for (let c = 0; c < channels; c++) out[to + c] = scaled[c](pixel);
        } else {
          const byte = bytes[begin + Math.floor(x * bits / 8)];
          const colour = byte >> (8 - bits - x * bits % 8) & (2 ** bits - 1);
          if (colour >= palette.count) refuse(`it has the colour ${colour} of ${palette.count}`);
          const at = palette.begin + palette.step * colour;
          for (let c = 0; c < 3; c++) out[to + c] = bytes[at + 2 - c];
        }
      }
    }
    return Promise.resolve({ width, height, channels, pixels: out });
  },
};

/** Rows are whole numbers of four bytes. */
const rowLength = (width: number, bits: number) => 4 * Math.ceil(width * bits / 32);

/** Some bits of a pixel as a byte. */
function scaling(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (pixel) => Math.floor(255 * ((pixel & mask) >>> shift) / most);
}

/** Red, green, blue and opacity of the depths that are no numbers of colours. */
const USUAL: Readonly<Record<number, readonly number[]>> = {
  16: [0x7c00, 0x3e0, 0x1f, 0],
  24: [0xff0000, 0xff00, 0xff, 0],
  32: [0xff0000, 0xff00, 0xff, 0],
};

function headsOf(bytes: Uint8Array): Heads {
  const reader = new Reader(bytes, true);
  const [pixels, head] = [reader.long(10), reader.long(14)];
  const isOld = head === 12;
  if (!isOld && head < 40) refuse(`its head has ${head} bytes: expected 12, or 40 and more`);
  const [width, tall] = isOld ? [reader.short(18), reader.short(20)] : [reader.signed(18), reader.signed(22)];
  const bits = reader.short(isOld ? 24 : 28);
  const compression = isOld ? 0 : reader.long(30);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) refuse(`it has ${bits} bits a pixel: expected 1, 4, 8, 16, 24 or 32`);
  const hasMasks = (compression === 3 || compression === 6) && bits >= 16;
  if (compression !== 0 && !hasMasks) refuse("it is a compressed BMP: save it as a plain one, or as PNG");
  const step = isOld ? 3 : 4;
  const stated = isOld ? 0 : reader.long(46);
  const count = bits > 8 ? 0 : stated === 0 ? 2 ** bits : Math.min(stated, 2 ** bits);
  const begin = 14 + head;
  if (begin + step * count > bytes.length) refuse(TRUNCATED);
  // Behind the old head, or in the newer ones; opacity stands in these, or with the compression 6.
  const masks = hasMasks
    ? [54, 58, 62, 66].map((place, c) => c < 3 || head >= 56 || compression === 6 ? reader.long(place) : 0)
    : USUAL[bits] ?? null;
  return {
    width,
    height: Math.abs(tall),
    downwards: tall < 0,
    bits,
    pixels,
    palette: { begin, count, step },
    masks,
  };
}
