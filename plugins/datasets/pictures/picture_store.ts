import type { Images } from "../../../core/data/images.ts";
import { UserError } from "../../../core/errors.ts";
import { sha256 } from "../../../core/sha256.ts";
import { visiblePath } from "../../../core/visible.ts";
import { BadPicture } from "./picture_format.ts";
import { type PictureForm, pictureInForm } from "./picture_form.ts";
import { checkOf, type PackIndex, PackWriter, PixelPack } from "./pixel_pack.ts";

/** Picture files, each once. */
export interface PictureFiles {
  /** SHA-256 of each. */
  readonly hashes: readonly string[];
  /** Its path, for messages. */
  readonly nameOf: (picture: number) => string;
  /** Its bytes. @throws UserError */
  readonly read: (picture: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** Is told of each that cannot be decoded; may throw. */
  readonly failed: (picture: number, reason: string) => void;
}

/** How pixels are kept. */
export interface StoreOptions {
  /** Bytes of pixels that are held in memory. */
  readonly memory: number;
  /** Whether pixels are written to the cache, and read from there. */
  readonly cache: boolean;
}

/** To be raised with every change of what is decoded: what was kept of another is not used. */
const VERSION = 1;

/** The pixels of picture files, decoded once, in one size: all in memory, or brought there as they are asked for. */
export class PictureStore {
  /** What could not be decoded, and why. */
  readonly failed: ReadonlyMap<number, string>;
  readonly size: PackIndex["size"];
  readonly #bytes: number;
  /** Where each picture stands among those that were decoded. */
  readonly #places: Int32Array;

  private constructor(
    private readonly files: PictureFiles,
    private readonly form: PictureForm,
    private readonly index: PackIndex,
    private readonly pack: PixelPack | null,
    /** All pixels, in the order of places; `null`: they are too many. */
    private readonly all: Uint8Array | null,
  ) {
    this.failed = new Map(index.failed);
    this.size = index.size;
    this.#bytes = bytesIn(index.size);
    let place = 0;
    this.#places = Int32Array.from(files.hashes, (_, picture) => this.failed.has(picture) ? -1 : place++);
  }

  /**
   * Decodes pictures, or finds their pixels in the cache.
   *
   * @returns `null` if none can be decoded, with the reason of each
   * @throws UserError for pictures of different sizes that are not resized, or a file that cannot be read
   */
  static async open(
    files: PictureFiles,
    form: PictureForm,
    { memory, cache }: StoreOptions,
  ): Promise<PictureStore | ReadonlyMap<number, string>> {
    const key = await sha256(new TextEncoder().encode(JSON.stringify([VERSION, form.described, files.hashes])));
    const kept = cache ? await PixelPack.open(key) : null;
    if (kept) {
      const store = new PictureStore(files, form, kept.index, kept, null);
      const count = kept.index.checks.length;
      if (count * store.#bytes > memory) return store;
      return new PictureStore(files, form, kept.index, kept, await store.#allPixels(count));
    }
    const made = await decodeAll(files, form, cache ? await PackWriter.open(key) : null, memory);
    return made.index ? new PictureStore(files, form, made.index, made.pack, made.all) : made.failed;
  }

  /** Whether pictures have to be fetched before they are there. */
  get streams(): boolean {
    return this.all === null;
  }

  /** Pixels of some pictures, one after another. @throws UserError for a file that changed since */
  async fetch(pictures: readonly number[]): Promise<Uint8Array> {
    const read = await this.pack?.read(pictures.map((picture) => this.#places[picture]));
    const pixels = new Uint8Array(pictures.length * this.#bytes);
    for (const [at, picture] of pictures.entries()) {
      pixels.set(read?.[at] ?? await this.#decodeAgain(picture), at * this.#bytes);
    }
    return pixels;
  }

  /** The images of some pictures, which are all in memory. */
  imagesOf(pictures: Uint32Array): Images {
    const [height, width, channels] = this.size;
    const placeOf = (index: number) => this.#places[pictures[index]] * this.#bytes;
    return { pixels: this.all!, placeOf, count: pictures.length, height, width, channels };
  }

  /** Sums of bytes and of their squares over some pictures, for each channel, and how many bytes that are. */
  sumsOf(pictures: Uint32Array): { readonly sums: number[]; readonly squares: number[]; readonly count: number } {
    const [height, width, channels] = this.size;
    const [sums, squares] = [new Array<number>(channels).fill(0), new Array<number>(channels).fill(0)];
    for (const picture of pictures) {
      const begin = this.#places[picture] * channels * 2;
      for (let c = 0; c < channels; c++) {
        sums[c] += this.index.sums[begin + 2 * c];
        squares[c] += this.index.sums[begin + 2 * c + 1];
      }
    }
    return { sums, squares, count: pictures.length * height * width };
  }

  async #allPixels(count: number): Promise<Uint8Array> {
    const pixels = new Uint8Array(count * this.#bytes);
    const pictures = Array.from(this.#places.keys()).filter((picture) => this.#places[picture] >= 0);
    const part = Math.max(1, Math.floor(2 ** 24 / this.#bytes));
    for (let begin = 0; begin < count; begin += part) {
      pixels.set(await this.fetch(pictures.slice(begin, begin + part)), begin * this.#bytes);
    }
    return pixels;
  }

  async #decodeAgain(picture: number): Promise<Uint8Array> {
    const { pixels } = await pictureInForm(await readSame(this.files, picture), this.form);
    return pixels;
  }
}

const bytesIn = (size: PackIndex["size"]) => size.reduce((product, extent) => product * extent, 1);

/** The bytes of a file that are to be those that were hashed. */
async function readSame({ read, hashes, nameOf }: PictureFiles, picture: number) {
  const bytes = await read(picture);
  if (await sha256(bytes) === hashes[picture]) return bytes;
  throw new UserError(
    `Cannot use "${visiblePath(nameOf(picture))}" as it was changed since it was first read: start the run again`,
  );
}

async function decodeAll(files: PictureFiles, form: PictureForm, writer: PackWriter | null, memory: number) {
  const failed = new Map<number, string>();
  const [sums, checks]: [number[], string[]] = [[], []];
  let size: PackIndex["size"] | null = null;
  let [first, all, end] = [-1, null as Uint8Array | null, 0];
  try {
    for (const picture of files.hashes.keys()) {
      let pixels: Uint8Array<ArrayBuffer>;
      try {
        const made = await pictureInForm(await readSame(files, picture), form);
        const own = [made.height, made.width, made.channels] as const;
        size ??= own;
        if (size.join() !== own.join()) throw otherSize(files, [first, size], [picture, own]);
        pixels = made.pixels as Uint8Array<ArrayBuffer>;
      } catch (error) {
        if (!(error instanceof BadPicture)) throw error;
        files.failed(picture, error.reason);
        failed.set(picture, error.reason);
        continue;
      }
      if (first < 0) {
        first = picture;
        const most = pixels.length * (files.hashes.length - failed.size);
        all = most <= memory ? new Uint8Array(most) : null;
      }
      all?.set(pixels, end);
      end += pixels.length;
      sums.push(...sumsOf(pixels, size[2]));
      // Only what is written can be damaged.
      checks.push(writer ? await checkOf(pixels) : "");
      await writer?.add(pixels);
    }
  } catch (error) {
    await writer?.drop();
    throw error;
  }
  if (!size) {
    await writer?.drop();
    return { index: null, failed };
  }
  const index = { size, failed: [...failed], sums, checks };
  return { index, failed, all: all?.subarray(0, end) ?? null, pack: await writer?.end(index) ?? null };
}

function otherSize(
  { nameOf }: PictureFiles,
  ...[[one, size], [other, own]]: [picture: number, size: readonly number[]][]
): UserError {
  const shown = (picture: number, [height, width]: readonly number[]) =>
    `"${visiblePath(nameOf(picture))}" has ${height} x ${width} pixels`;
  return new UserError(
    `Cannot use pictures of different sizes: ${shown(one, size)}, and ${
      shown(other, own)
    }; set size, to which all are ` +
      "resized",
  );
}

/** Of each channel the sum of the bytes, and that of their squares: whole numbers, whatever the order. */
function sumsOf(pixels: Uint8Array, channels: number): number[] {
  const sums = new Array<number>(2 * channels).fill(0);
  for (let at = 0; at < pixels.length; at += channels) {
    for (let c = 0; c < channels; c++) {
      const pixel = pixels[at + c];
      sums[2 * c] += pixel;
      sums[2 * c + 1] += pixel * pixel;
    }
  }
  return sums;
}
