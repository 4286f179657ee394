import { decode as decodePng, type DecodedPng } from "fast-png";
import { Unzlib } from "fflate";
import { orientationOf } from "./exif.ts";
import { type DecodedPicture, hasLetters, type PictureFormat, Reader, refuse, TRUNCATED } from "./picture_format.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** What makes pixels. Texts and profiles, some of which are compressed without a bound, are not handed on. */
const NEEDED = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];

/** Bytes that are decompressed in one go: at most a thousand times as many come out. */
const PIECE = 2 ** 14;

interface Chunk {
  readonly type: string;
  /** Where its length stands; the data begin 8 bytes behind. */
  readonly begin: number;
  readonly length: number;
}

/** Portable network graphics (PNG), of every colour type and depth; of an animated one the picture that all readers see. */
export const png: PictureFormat = {
  name: "PNG",
  begins: (bytes) => SIGNATURE.every((byte, place) => bytes[place] === byte),
  look(bytes) {
    const chunks = chunksOf(bytes);
    const reader = new Reader(bytes, false);
    if (chunks[0]?.type !== "IHDR" || chunks[0].length !== 13) refuse("it does not begin with its size (IHDR)");
    if (!chunks.some(({ type }) => type === "IDAT")) refuse("it has no pixels (IDAT)");
    const exif = chunks.find(({ type }) => type === "eXIf");
    return {
      width: reader.long(16),
      height: reader.long(20),
      orientation: exif ? orientationOf(bytes.subarray(exif.begin + 8, exif.begin + 8 + exif.length)) : 1,
    };
  },
  decode(bytes) {
    const chunks = chunksOf(bytes).filter(({ type }) => NEEDED.includes(type));
    expectPixels(bytes, chunks);
    const parts = chunks.map(({ begin, length }) => bytes.subarray(begin, begin + 12 + length));
    const kept = new Uint8Array(SIGNATURE.length + parts.reduce((sum, { length }) => sum + length, 0));
    kept.set(SIGNATURE);
    let end = SIGNATURE.length;
    for (const part of parts) {
      kept.set(part, end);
      end += part.length;
    }
    return Promise.resolve(inBytes(decodePng(kept, { checkCrc: true })));
  },
};

function chunksOf(bytes: Uint8Array): Chunk[] {
  const reader = new Reader(bytes, false);
  const chunks: Chunk[] = [];
  for (let begin = SIGNATURE.length; !hasLetters(bytes, begin + 4, "IEND");) {
    const length = reader.long(begin);
    if (begin + 12 + length > bytes.length) refuse(TRUNCATED);
    chunks.push({ type: new TextDecoder("latin1").decode(bytes.subarray(begin + 4, begin + 8)), begin, length });
    begin += 12 + length;
  }
  const end = chunks.at(-1);
  return [...chunks, { type: "IEND", begin: end ? end.begin + 12 + end.length : SIGNATURE.length, length: 0 }];
}

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Places and steps of the seven pictures that an interlaced one is made of. */
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/** Refuses compressed pixels that are fewer or more than the size says, before they are held in memory. */
function expectPixels(bytes: Uint8Array, chunks: readonly Chunk[]): void {
  const reader = new Reader(bytes, false);
  const [width, height, depth, colour] = [reader.long(16), reader.long(20), bytes[24], bytes[25]];
  const interlaced = bytes[28] === 1;
  if (interlaced && depth < 8) refuse(`it is interlaced, with ${depth} bits a channel: save it without interlacing`);
  if (!(colour in CHANNELS)) refuse(`it has the colour type ${colour}: expected 0, 2, 3, 4 or 6`);
  if (![1, 2, 4, 8, 16].includes(depth)) refuse(`it has ${depth} bits a channel: expected 1, 2, 4, 8 or 16`);
  const rows = (width: number, height: number) =>
    width === 0 ? 0 : height * (1 + Math.ceil(width * depth * CHANNELS[colour] / 8));
  const places = (length: number, first: number, step: number) => Math.max(0, Math.ceil((length - first) / step));
  const expected = interlaced
    ? PASSES.reduce((sum, [x, y, across, down]) => sum + rows(places(width, x, across), places(height, y, down)), 0)
    : rows(width, height);
  let found = 0;
  const inflator = new Unzlib((part) => {
    found += part.length;
    if (found > expected) refuse(`its compressed pixels are more than its ${width} x ${height} pixels`);
  });
  for (const { begin, length } of chunks.filter(({ type }) => type === "IDAT")) {
    const data = bytes.subarray(begin + 8, begin + 8 + length);
    for (let at = 0; at < length; at += PIECE) inflator.push(data.subarray(at, at + PIECE), false);
  }
  inflator.push(new Uint8Array(), true);
  if (found < expected) refuse(TRUNCATED);
}

/** Eight bits a channel: of 16 the upper ones count, as in Pillow; fewer are stretched; a palette's are looked up. */
function inBytes(png: DecodedPng): DecodedPicture {
  const { width, height, depth, palette, transparency } = png;
  const channels = png.channels as 1 | 2 | 3 | 4;
  const samples = depth < 8 ? unpacked(png) : png.data;
  if (palette) {
    const isOpaque = palette.every(({ length }) => length === 3);
    const own = isOpaque ? 3 : 4;
    const pixels = new Uint8Array(width * height * own);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const colour = palette[samples[pixel]] ?? refuse(`it has the colour ${samples[pixel]} of ${palette.length}`);
      for (let c = 0; c < own; c++) pixels[pixel * own + c] = colour[c] ?? 255;
    }
    return { width, height, channels: own, pixels };
  }
  const [factor, shift] = depth < 8 ? [255 / (2 ** depth - 1), 0] : [1, depth - 8];
  const bytes = Uint8Array.from(samples, (sample) => (sample >> shift) * factor);
  if (!transparency?.length || channels === 2 || channels === 4) return { width, height, channels, pixels: bytes };
  // One colour stands for what is transparent.
  const own = channels === 1 ? 2 : 4;
  const pixels = new Uint8Array(width * height * own);
  for (let pixel = 0; pixel < width * height; pixel++) {
    let isClear = true;
    for (let c = 0; c < channels; c++) {
      pixels[pixel * own + c] = bytes[pixel * channels + c];
      isClear &&= samples[pixel * channels + c] === transparency[c];
    }
    pixels[pixel * own + channels] = isClear ? 0 : 255;
  }
  return { width, height, channels: own, pixels };
}

/** Samples of fewer than eight bits, of which a byte holds several; each row begins with a byte of its own. */
function unpacked({ data, width, height, depth, channels }: DecodedPng): Uint8Array {
  const samples = new Uint8Array(width * height * channels);
  const [row, each] = [Math.ceil(width * channels * depth / 8), 8 / depth];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width * channels; x++, at++) {
      const byte = data[y * row + Math.floor(x / each)];
      samples[at] = byte >> (8 - depth * (x % each + 1)) & (2 ** depth - 1);
    }
  }
  return samples;
}
