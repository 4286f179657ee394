import { unzlibSync } from "fflate";
import { crc32 } from "../../../core/crc32.ts";
import { orientationOf } from "./exif.ts";
import { type DecodedPicture, hasLetters, type PictureFormat, Reader, refuse, TRUNCATED } from "./picture_format.ts";
import { bytesOfSamples, type PngLayout, samplesOf } from "./png_samples.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Whether its checksum is right; only that of those which make pixels counts. */
  readonly isWhole: () => boolean;
}

/** Portable network graphics (PNG) of every colour type and depth; of an animated one what all readers see. */
export const png: PictureFormat = {
  name: "PNG",
  begins: (bytes) => SIGNATURE.every((byte, place) => bytes[place] === byte),
  look(bytes) {
    const chunks = chunksOf(bytes);
    const { width, height } = layoutOf(chunks);
    if (!chunks.some(({ type }) => type === "IDAT")) refuse("it has no pixels (IDAT)");
    const exif = chunks.find(({ type }) => type === "eXIf");
    return { width, height, orientation: exif ? orientationOf(exif.data) : 1 };
  },
  decode(bytes) {
    const chunks = chunksOf(bytes);
    const layout = layoutOf(chunks);
    const damaged = chunks.find(({ type, isWhole }) => ["IHDR", "PLTE", "tRNS", "IDAT"].includes(type) && !isWhole());
    if (damaged) refuse(`its data are damaged: the checksum of its part ${damaged.type} is wrong`);
    const dataOf = (kind: string) => chunks.find(({ type }) => type === kind)?.data;
    const samples = samplesOf(inflated(chunks, layout), layout);
    return Promise.resolve(inColours(samples, layout, dataOf("PLTE"), dataOf("tRNS")));
  },
};

function chunksOf(bytes: Uint8Array): Chunk[] {
  const reader = new Reader(bytes, false);
  const chunks: Chunk[] = [];
  for (let begin = SIGNATURE.length; !hasLetters(bytes, begin + 4, "IEND");) {
    const length = reader.long(begin);
    const end = begin + 8 + length;
    if (end + 4 > bytes.length) refuse(TRUNCATED);
    const named = bytes.subarray(begin + 4, end);
    chunks.push({
      type: String.fromCharCode(...named.subarray(0, 4)),
      data: bytes.subarray(begin + 8, end),
      isWhole: () => crc32(named) === reader.long(end),
    });
    begin = end + 4;
  }
  return chunks;
}

/** Channels of each colour type. */
const CHANNELS: Readonly<Record<number, PngLayout["channels"]>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

function layoutOf([head]: readonly Chunk[]): PngLayout & { readonly colour: number } {
  if (head?.type !== "IHDR" || head.data.length !== 13) refuse("it does not begin with its size (IHDR)");
  const reader = new Reader(head.data, false);
  const [width, height] = [reader.long(0), reader.long(4)];
  const [depth, colour, compression, filter, interlaced] = head.data.subarray(8);
  if (!(colour in CHANNELS)) refuse(`it has the colour type ${colour}: expected 0, 2, 3, 4 or 6`);
  const depths = colour === 0 ? [1, 2, 4, 8, 16] : colour === 3 ? [1, 2, 4, 8] : [8, 16];
  if (!depths.includes(depth)) refuse(`it has ${depth} bits a channel with the colour type ${colour}`);
  if (compression !== 0 || filter !== 0 || interlaced > 1) refuse("it is compressed, filtered or interlaced unusually");
  return { width, height, depth, channels: CHANNELS[colour], interlaced: interlaced === 1, colour };
}

/** The rows of pixels, still filtered; no more memory is taken than the size says. */
function inflated(chunks: readonly Chunk[], { width, height, ...layout }: PngLayout): Uint8Array {
  const parts = chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data);
  const data = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    data.set(part, end);
    end += part.length;
  }
  const expected = bytesOfSamples({ width, height, ...layout });
  const rows = unzlibSync(data, { out: new Uint8Array(expected + 1) });
  if (rows.length > expected) refuse(`its compressed pixels are more than its ${width} x ${height} pixels`);
  return rows.length < expected ? refuse(TRUNCATED) : rows;
}

/** Eight bits a channel: of 16 the upper ones count, as in Pillow; fewer are stretched; a palette's are looked up. */
function inColours(
  samples: Uint8Array | Uint16Array,
  { width, height, depth, channels, colour }: PngLayout & { readonly colour: number },
  palette: Uint8Array | undefined,
  clear: Uint8Array | undefined,
): DecodedPicture {
  const count = width * height;
  if (colour === 3) {
    if (!palette || palette.length % 3 !== 0) refuse("its palette is missing or damaged");
    const colours = palette.length / 3;
    const own = clear ? 4 : 3;
    const pixels = new Uint8Array(count * own);
    for (let pixel = 0, to = 0; pixel < count; pixel++, to += own) {
      const at = samples[pixel];
      if (at >= colours) refuse(`it has the colour ${at} of ${colours}`);
      for (let c = 0; c < 3; c++) pixels[to + c] = palette[3 * at + c];
      if (clear) pixels[to + 3] = at < clear.length ? clear[at] : 255;
    }
    return { width, height, channels: own, pixels };
  }
  const bytes = inBytes(samples, depth);
  if (!clear || clear.length !== 2 * channels || colour > 2) return { width, height, channels, pixels: bytes };
  // One colour stands for what is transparent.
  const [own, none] = [
    channels === 1 ? 2 : 4,
    Array.from({ length: channels }, (_, c) => clear[2 * c] << 8 | clear[2 * c + 1]),
  ];
  const pixels = new Uint8Array(count * own);
  for (let pixel = 0; pixel < count; pixel++) {
    let isClear = true;
    for (let c = 0; c < channels; c++) {
      pixels[pixel * own + c] = bytes[pixel * channels + c];
      isClear &&= samples[pixel * channels + c] === none[c];
    }
    pixels[pixel * own + channels] = isClear ? 0 : 255;
  }
  return { width, height, channels: own as 2 | 4, pixels };
}

function inBytes(samples: Uint8Array | Uint16Array, depth: number): Uint8Array {
  if (samples instanceof Uint8Array && depth === 8) return samples;
  const bytes = new Uint8Array(samples.length);
  const [factor, shift] = depth === 16 ? [1, 8] : [255 / (2 ** depth - 1), 0];
  for (let at = 0; at < samples.length; at++) bytes[at] = (samples[at] >> shift) * factor;
  return bytes;
}
