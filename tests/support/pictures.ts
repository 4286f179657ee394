import { zlibSync } from "fflate";
import { Random } from "../../core/data/random.ts";
import { openUserFolder, readUserFile } from "../../core/files.ts";
import type { Dataset, DatasetDefinition, DatasetSetup } from "../../core/plugin/dataset.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import golden from "../golden/pictures.json" with { type: "json" };

/** A picture file by its name in golden/pictures.json. */
export function goldenFile(name: string): Uint8Array<ArrayBuffer> {
  const { file } = golden.pictures.find((picture) => picture.name === name)!;
  return Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
}

const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const long = (number: number) => Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ crc >>> 1 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** A PNG of parts that are as they should be, each with its checksum. */
export function pngOf(parts: readonly (readonly [type: string, data: Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const chunks = parts.flatMap(([type, data]) => {
    const named = Uint8Array.of(...latin(type), ...data);
    return [...long(data.length), ...named, ...long(crc32(named))];
  });
  return Uint8Array.of(0x89, ...latin("PNG\r\n\x1a\n"), ...chunks);
}

/** The head of a PNG, of eight bits a channel. */
export function pngHead(width: number, height: number, colour = 2): readonly [string, Uint8Array] {
  return ["IHDR", Uint8Array.of(...long(width), ...long(height), 8, colour, 0, 0, 0)];
}

function encode(height: number, width: number, channels: number, pixels: (at: number) => number) {
  const row = width * channels;
  const rows = Uint8Array.from(
    { length: height * (1 + row) },
    (_, at) => at % (1 + row) === 0 ? 0 : pixels(at - 1 - Math.floor(at / (1 + row))),
  );
  return pngOf([pngHead(width, height, channels === 1 ? 0 : 2), ["IDAT", zlibSync(rows)], ["IEND", new Uint8Array()]]);
}

/** A PNG of one colour. */
export function plainPng(colour: readonly number[], height = 2, width = height): Uint8Array<ArrayBuffer> {
  return encode(height, width, colour.length, (at) => colour[at % colour.length]);
}

/** A PNG whose pixels follow from a number, so that no two are alike. */
export function noisePng(seed: number, height: number, width = height, channels: 1 | 3 = 3): Uint8Array<ArrayBuffer> {
  const random = new Random(seed);
  return encode(height, width, channels, () => random.below(256));
}

/** The setup of a data set that reads the files in use. */
export function pictureSetup(noted: Map<string, string> = new Map()): DatasetSetup {
  return {
    readFile: (file, what) => readUserFile(String(file), what),
    readFolder: () => Promise.reject(new Error("no folder is read as a whole")),
    openFolder: openUserFolder,
    noteInput: (name, content) => Promise.resolve(void noted.set(name, new TextDecoder().decode(content))),
    random: new Random(0),
  };
}

/** Loads a data set with the files in use. */
export async function loadPictures(
  definition: DatasetDefinition,
  options: Readonly<Record<string, unknown>>,
  setup = pictureSetup(),
): Promise<Dataset> {
  return await definition.load(definition.options(optionKit).parse(options), setup);
}

/** The numbers of all images of a split. */
export async function imagesIn(dataset: Dataset, split: string): Promise<number[][]> {
  const examples = dataset.splits[split];
  const indices = Uint32Array.from({ length: examples.length }, (_, index) => index);
  await examples.fetch?.(indices);
  const { data } = examples.batch(indices).image;
  const each = data.length / examples.length;
  return Array.from(indices, (index) => [...data.subarray(index * each, (index + 1) * each)]);
}
