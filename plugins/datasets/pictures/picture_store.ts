import type { Images } from "../../../core/data/images.ts";
import type { Picture } from "../../../core/data/resize.ts";
import { deferred } from "../../../core/deferred.ts";
import { UserError } from "../../../core/errors.ts";
import { sha256 } from "../../../core/sha256.ts";
import { visiblePath } from "../../../core/visible.ts";
import { jobOf } from "./decode_job.ts";
import { Decoders, defaultThreads } from "./decoders.ts";
import { type Begun, decodeInOrder } from "./in_order.ts";
import { BadPicture } from "./picture_format.ts";
import type { PictureForm } from "./picture_form.ts";
import { checkOf, type PackIndex, PackWriter, PixelPack } from "./pixel_pack.ts";

/** Picture files, each once. */
export interface PictureFiles {
  /** SHA-256 of each. */
  readonly hashes: readonly string[];
  /** Bytes of all of them together. */
  readonly bytes: number;
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
  /** Threads that decode, 1: the program's own; `null`: as many as pay. */
  readonly threads: number | null;
}

/** Bytes of files from which on threads are faster, which take as long to start as some of them to be decoded. */
const WORTH_THREADS = 2 ** 21;

/** Pictures for each thread that are read before they are taken: enough that none waits for files. */
const AHEAD = 4;

/** Pixels that are on their way. */
export interface FetchAhead {
  /** Resolves once the files are read and the threads have the rest to do, or enough of it. */
  readonly begun: Promise<void>;
  /** The pixels one after another. */
  readonly pixels: Promise<Uint8Array>;
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
  /** Started when a picture is first decoded again. */
  #decoders: Promise<Decoders> | null = null;

  private constructor(
    private readonly files: PictureFiles,
    private readonly form: PictureForm,
    private readonly index: PackIndex,
    private readonly pack: PixelPack | null,
    /** All pixels, in the order of places; `null`: they are too many. */
    private readonly all: Uint8Array | null,
    /** Threads that decode pictures again. */
    private readonly threads: number,
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
    { memory, cache, threads }: StoreOptions,
  ): Promise<PictureStore | ReadonlyMap<number, string>> {
    const key = await sha256(new TextEncoder().encode(JSON.stringify([VERSION, form.described, files.hashes])));
    const wanted = threads ?? (files.bytes < WORTH_THREADS ? 1 : defaultThreads());
    const kept = cache ? await PixelPack.open(key) : null;
    if (kept) {
      const store = new PictureStore(files, form, kept.index, kept, null, wanted);
      const count = kept.index.checks.length;
      if (count * store.#bytes > memory) return store;
      try {
        return new PictureStore(files, form, kept.index, kept, await store.#allPixels(count), wanted);
      } finally {
        await store.close();
      }
    }
    const decoders = await Decoders.start(wanted);
    try {
      const made = await decodeAll(files, form, decoders, cache ? await PackWriter.open(key) : null, memory);
      return made.index ? new PictureStore(files, form, made.index, made.pack, made.all, wanted) : made.failed;
    } finally {
      await decoders.close();
    }
  }

  /** Whether pictures have to be fetched before they are there. */
  get streams(): boolean {
    return this.all === null;
  }

  /** Pixels of some pictures, one after another. @throws UserError for a file that changed since */
  async fetch(pictures: readonly number[]): Promise<Uint8Array> {
    return await this.#fetch(pictures, () => {});
  }

  /** Begins to bring pixels of some pictures, while others are used; `null` where that would be no sooner. */
  fetchAhead(pictures: readonly number[]): FetchAhead | null {
    if (this.pack || this.threads < 2) return null;
    const begun = deferred<void>();
    const pixels = this.#fetch(pictures, begun.resolve);
    // A failure is told when the pixels are asked for, or never.
    pixels.catch(() => begun.resolve());
    return { begun: begun.promise, pixels };
  }

  /** Ends the threads that decode. */
  async close(): Promise<void> {
    await (await this.#decoders)?.close();
  }

  async #fetch(pictures: readonly number[], told: () => void): Promise<Uint8Array> {
    const read = await this.pack?.read(pictures.map((picture) => this.#places[picture]));
    const pixels = new Uint8Array(pictures.length * this.#bytes);
    read?.forEach((own, at) => own && pixels.set(own, at * this.#bytes));
    const missing = Array.from(pictures.keys()).filter((at) => !read?.[at]);
    if (missing.length === 0) return pixels;
    const decoders = await (this.#decoders ??= Decoders.start(this.threads));
    const most = decoders.threads === 0 ? 0 : Infinity;
    const begin = (at: number) => beginDecoding(this.files, this.form, decoders, pictures[at]);
    await decodeInOrder(missing, most, begin, async (at, picture) => {
      pixels.set((await picture).pixels, at * this.#bytes);
    }, told);
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

/** Reads a picture and has it decoded. What is wrong with it is told by its promise, when its turn comes. */
async function beginDecoding(
  files: PictureFiles,
  form: PictureForm,
  decoders: Decoders,
  picture: number,
): Promise<Begun> {
  try {
    const job = jobOf(await readSame(files, picture), form);
    return { picture: decoders.decode(job), memory: job.memory };
  } catch (error) {
    return { picture: Promise.reject(error), memory: 0 };
  }
}

async function decodeAll(
  files: PictureFiles,
  form: PictureForm,
  decoders: Decoders,
  writer: PackWriter | null,
  memory: number,
) {
  const failed = new Map<number, string>();
  const [sums, checks]: [number[], string[]] = [[], []];
  let size: PackIndex["size"] | null = null;
  let [first, all, end] = [-1, null as Uint8Array | null, 0];
  const take = async (picture: number, decoding: Promise<Picture>) => {
    let pixels: Uint8Array<ArrayBuffer>;
    try {
      const made = await decoding;
      const own = [made.height, made.width, made.channels] as const;
      size ??= own;
      if (size.join() !== own.join()) throw otherSize(files, [first, size], [picture, own]);
      pixels = made.pixels as Uint8Array<ArrayBuffer>;
    } catch (error) {
      if (!(error instanceof BadPicture)) throw error;
      files.failed(picture, error.reason);
      failed.set(picture, error.reason);
      return;
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
  };
  try {
    const most = AHEAD * decoders.threads;
    await decodeInOrder(files.hashes.keys(), most, (picture) => beginDecoding(files, form, decoders, picture), take);
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
