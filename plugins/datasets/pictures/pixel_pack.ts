import { CACHE } from "../../../core/data/remote_file.ts";
import { currentFiles } from "../../../core/files/current.ts";
import { temporaryName, temporaryOf } from "../../../core/files/temporary.ts";
import { basename, join } from "../../../core/paths.ts";
import { openJson, sealJson } from "../../../core/sealed_json.ts";
import { sha256 } from "../../../core/sha256.ts";

/** What is known of decoded pictures beside their pixels. */
export interface PackIndex {
  /** Of each image. */
  readonly size: readonly [height: number, width: number, channels: number];
  /** Pictures that could not be decoded, and why; the others stand one after another. */
  readonly failed: readonly (readonly [picture: number, reason: string])[];
  /** Of each image and channel the sum of its bytes and that of their squares. */
  readonly sums: readonly number[];
  /** The beginning of the SHA-256 of each image's pixels. */
  readonly checks: readonly string[];
}

/** How much of a hash tells pixels that were damaged. */
const CHECK = 16;

/** A check of pixels. */
export async function checkOf(pixels: Uint8Array<ArrayBuffer>): Promise<string> {
  return (await sha256(pixels)).slice(0, CHECK);
}

/** Decoded pixels in a file of the cache. */
export class PixelPack {
  readonly #bytes: number;

  private constructor(private readonly file: string, readonly index: PackIndex) {
    this.#bytes = index.size.reduce((product, extent) => product * extent, 1);
  }

  /** The pack of a key; `null` if it is not there, not whole, or may not be read: then it is made anew. */
  static async open(key: string): Promise<PixelPack | null> {
    const file = fileOf(key);
    const files = currentFiles();
    try {
      const text = new TextDecoder().decode(await files.read(`${file}.json`));
      const { value, isWhole } = await openJson(JSON.parse(text));
      const pack = new PixelPack(`${file}.bin`, value as PackIndex);
      if (isWhole && (await files.look(pack.file)).size === pack.#bytes * pack.index.checks.length) return pack;
    } catch {
      // A cache that is not there and one that is of no use are one.
    }
    return null;
  }

  /**
   * Reads images by their places.
   *
   * @returns the pixels of each; `null` for one that is damaged or cannot be read any more
   */
  async read(places: readonly number[]): Promise<(Uint8Array<ArrayBuffer> | null)[]> {
    try {
      using file = await currentFiles().open(this.file);
      const images = [];
      for (const place of places) {
        const pixels = await file.read(place * this.#bytes, this.#bytes);
        images.push(await checkOf(pixels) === this.index.checks[place] ? pixels : null);
      }
      return images;
    } catch {
      return places.map(() => null);
    }
  }
}

const fileOf = (key: string) => join(CACHE, `pictures-${key.slice(0, 16)}`);

/** Bytes that are written in one go. */
const AT_ONCE = 2 ** 24;

/** Writes a pack. Where that may not be, or the disk is full, nothing is kept. */
export class PackWriter {
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #failed = false;

  private constructor(private readonly key: string, private readonly temporary: string) {}

  /** @returns `null` where nothing can be written */
  static async open(key: string): Promise<PackWriter | null> {
    const files = currentFiles();
    const name = `${basename(fileOf(key))}.bin`;
    try {
      await files.makeFolder(CACHE, true);
      // What a run that was killed left.
      const isLeft = temporaryOf(name);
      for (const entry of await files.list(CACHE)) if (isLeft(entry.name)) await files.remove(join(CACHE, entry.name));
      const temporary = join(CACHE, temporaryName(name));
      await files.create(temporary);
      return new PackWriter(key, temporary);
    } catch {
      return null;
    }
  }

  async add(pixels: Uint8Array): Promise<void> {
    this.#waiting.push(pixels);
    this.#bytes += pixels.length;
    if (this.#bytes >= AT_ONCE) await this.#flush();
  }

  /** Gives the pack its name. @returns it; `null` if it could not be written */
  async end(index: PackIndex): Promise<PixelPack | null> {
    await this.#flush();
    if (this.#failed) return await this.drop();
    const files = currentFiles();
    const file = fileOf(this.key);
    try {
      await files.rename(this.temporary, `${file}.bin`);
      await files.write(`${file}.json`, new TextEncoder().encode(await sealJson(index)));
    } catch {
      return await this.drop();
    }
    return await PixelPack.open(this.key);
  }

  /** Removes what was written. */
  async drop(): Promise<null> {
    await currentFiles().remove(this.temporary).catch(() => {});
    return null;
  }

  async #flush(): Promise<void> {
    const bytes = new Uint8Array(this.#bytes);
    let end = 0;
    for (const part of this.#waiting) {
      bytes.set(part, end);
      end += part.length;
    }
    [this.#waiting, this.#bytes] = [[], 0];
    if (this.#failed || bytes.length === 0) return;
    try {
      await currentFiles().append(this.temporary, bytes);
    } catch {
      this.#failed = true;
    }
  }
}
