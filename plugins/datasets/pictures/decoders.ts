import type { Picture } from "../../../core/data/resize.ts";
import { DeviceError } from "../../../core/errors.ts";
import { processors, startThread, type Thread } from "../../../core/thread.ts";
import { JPEG_DECODER, WEBP_DECODER } from "./codecs.generated.ts";
import { decoded, type DecodeJob } from "./decode_job.ts";
import { DECODER_PROGRAM } from "./decoder.generated.ts";
import type { Answer } from "./decoder.ts";
import { BadPicture } from "./picture_format.ts";

/** More threads would each take the memory of a picture, and wait for files. */
const MOST_THREADS = 8;

/** One thread for each processor, up to 8. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(processors(), MOST_THREADS));
}

/** A thread's program: the decoders' WebAssembly, which it has of us, and what was made of decoder_program.ts. */
const program = () => {
  const codecs = JSON.stringify({ JPEG_DECODER, WEBP_DECODER });
  return `(scope) => { const require = () => (${codecs});\n${DECODER_PROGRAM}}`;
};

/** Decodes pictures in other threads, or in the program's own one after another. */
export class Decoders {
  #lines: Line[];
  #last: Promise<unknown> = Promise.resolve();

  private constructor(lines: Line[]) {
    this.#lines = lines;
  }

  /** The program's own thread alone. */
  static here(): Decoders {
    return new Decoders([]);
  }

  /**
   * Starts threads. They do not keep the program alive while they have nothing to do.
   *
   * @param count how many; with 1, and where none can be started, the program's own does it
   */
  static async start(count: number): Promise<Decoders> {
    if (count < 2) return Decoders.here();
    const lines: Line[] = [];
    try {
      const text = program();
      for (let one = 0; one < count; one++) lines.push(new Line(startThread(text)));
      await Promise.all(lines.map(({ ready }) => ready));
      return new Decoders(lines);
    } catch {
      await Promise.all(lines.map((line) => line.end()));
      return Decoders.here();
    }
  }

  /** Other threads that decode. */
  get threads(): number {
    return this.#lines.length;
  }

  /** @throws BadPicture; DeviceError if a thread has ended */
  async decode(job: DecodeJob): Promise<Picture> {
    if (this.#lines.length > 0) {
      return await this.#lines.reduce((least, line) => line.length < least.length ? line : least).decode(job);
    }
    // One after another, as a decoder has one memory.
    const own = this.#last.then(() => decoded(job));
    this.#last = own.catch(() => {});
    return await own;
  }

  /** Ends the threads, at once. */
  async close(): Promise<void> {
    await Promise.all(this.#lines.splice(0).map((line) => line.end()));
  }
}

/** Who waits for the answer to a job. */
interface Waiting {
  resolve(picture: Picture): void;
  reject(error: unknown): void;
}

/** A port in Deno and Node.js, which else keeps the program alive. */
type Port = MessagePort & { unref?(): void };

/** A thread and the jobs that it has, which it answers in their order. */
class Line {
  /** Resolves once it can be given jobs. */
  readonly ready: Promise<void>;
  /** In Deno a message by a port takes a tenth of the 2 milliseconds that one of `node:worker_threads` takes. */
  readonly #port: Port;
  readonly #waiting: Waiting[] = [];
  #isGone = false;

  constructor(private readonly thread: Thread) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: { data: Answer }) => this.#take(data);
    this.#port.unref?.();
    thread.post(port2, [port2]);
    this.ready = thread.ready.then(() => thread.hold(false));
    // Where several fail to start, the first is told.
    this.ready.catch(() => {});
    thread.ended.then(() => {
      this.#isGone = true;
      port1.close();
      for (const { reject } of this.#waiting.splice(0)) reject(threadEnded());
    });
  }

  get length(): number {
    return this.#waiting.length;
  }

  decode(job: DecodeJob): Promise<Picture> {
    if (this.#isGone) return Promise.reject(threadEnded());
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ resolve, reject }) === 1) this.thread.hold(true);
      this.#port.postMessage(job);
    });
  }

  async end(): Promise<void> {
    await this.thread.terminate();
    await this.thread.ended;
  }

  #take(answer: Answer): void {
    const { resolve, reject } = this.#waiting.shift()!;
    if (this.#waiting.length === 0) this.thread.hold(false);
    if ("picture" in answer) resolve(answer.picture);
    else if ("bad" in answer) reject(new BadPicture(answer.bad));
    else reject(Object.assign(new Error(answer.failed), answer.stack && { stack: answer.stack }));
  }
}

const threadEnded = () =>
  new DeviceError("Cannot decode pictures as a thread that does it has ended: the system may lack memory");
