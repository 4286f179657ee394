import type { OpenFolder } from "../../../core/plugin/dataset.ts";
import { sha256 } from "../../../core/sha256.ts";
import { badExample, type BadExamples, type ExamplePlace } from "../text/bad_examples.ts";

/** Bytes of a picture's file; of the largest picture that is decoded there is hardly a larger one. */
const MOST_BYTES = 2 ** 28;

/** The SHA-256 of picture files. */
export class HashedPictures {
  readonly #hashes = new Map<string, string>();

  /** Bytes of all files together. */
  bytes = 0;

  hashOf(path: string): string {
    return this.#hashes.get(path)!;
  }

  /** Reads a picture that was hashed. */
  async read(folder: OpenFolder, path: string): Promise<Uint8Array<ArrayBuffer>> {
    // One that has grown is another one, which its hash will show.
    return await folder.read(path, MOST_BYTES) ?? new Uint8Array();
  }

  /**
   * Hashes the files of some examples, one after another.
   *
   * @returns those that can be read
   */
  async add<Example extends { readonly path: string; readonly where: ExamplePlace }>(
    folder: OpenFolder,
    examples: readonly Example[],
    bad: BadExamples,
  ): Promise<Example[]> {
    const kept: Example[] = [];
    for (const example of examples) {
      const bytes = this.#hashes.has(example.path) ? null : await folder.read(example.path, MOST_BYTES);
      if (bytes) {
        this.#hashes.set(example.path, await sha256(bytes));
        this.bytes += bytes.length;
      }
      kept.push(...bad.keep(() => {
        if (this.#hashes.has(example.path)) return example;
        badExample(example.where, `it has more than ${MOST_BYTES / 2 ** 20} MiB`);
      }));
    }
    return kept;
  }
}
