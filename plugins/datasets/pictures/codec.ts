import { gunzipSync } from "fflate";
import { fromBase64 } from "../../../core/byte_texts.ts";
import { BadPicture } from "./picture_format.ts";

/** What an Emscripten program is started with. */
interface Settings {
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
  /** The address of a file beside the program. */
  readonly locateFile: (name: string) => string;
}

/** Starts a program anew. */
type Start = (module: WebAssembly.Module, settings: Partial<Settings>) => Promise<void>;

/** Pictures after whose sum of bytes, or after one that failed, a program starts with a fresh memory. */
const MOST_BYTES = 2 ** 28;

/** A decoder in WebAssembly, which is compiled when it is first used, and asks for no file and no network. */
export class Codec {
  #module: Promise<WebAssembly.Module> | undefined;
  #said: string[] = [];
  #bytes = Infinity;

  /** @param code base64 of the gzipped program */
  constructor(private readonly code: string, private readonly start: Start) {}

  /**
   * Runs the decoder.
   *
   * @param size of the file, in bytes
   * @returns what it gives, and the lines that it would have printed
   * @throws BadPicture if it fails
   */
  async run<Result>(
    decode: () => Promise<Result>,
    size: number,
  ): Promise<{ readonly result: Result; readonly said: readonly string[] }> {
    if (this.#bytes > MOST_BYTES) await this.#restart();
    this.#bytes += size;
    this.#said = [];
    try {
      return { result: await decode(), said: this.#said };
    } catch (error) {
      this.#bytes = Infinity;
      const said = this.#said[0] ?? (error instanceof Error ? error.message : "");
      throw new BadPicture(`its data are damaged${/^[\w ,:.-]+$/.test(said) ? `: ${said}` : ""}`);
    }
  }

  async #restart(): Promise<void> {
    this.#module ??= WebAssembly.compile(
      gunzipSync(fromBase64(this.code)) as Uint8Array<ArrayBuffer>,
    );
    const note = (line: string) => void this.#said.push(line);
    // None is loaded; but the program would ask its module's address for one, which a script and a bundle lack.
    await this.start(await this.#module, { print: note, printErr: note, locateFile: (name) => name });
    this.#bytes = 0;
  }
}
