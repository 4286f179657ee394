import { Owned } from "../../owned.ts";
import type { HostTensor } from "../../plugin/dataset.ts";
import { sizeOf } from "../../tensor.ts";
import { shorten, visible } from "../../visible.ts";
import { ELEMENT_TYPES, type ElementType, OutsideType } from "./element_types.ts";
import type { Wasm } from "./library.ts";
import { type HeldRuntime, holdRuntime } from "./runtime.ts";

/** An input or output of a model. */
export interface ValueInfo {
  readonly name: string;
  /** `null` for what is no tensor of numbers that can be read here. */
  readonly type: ElementType | null;
  /** A number, or the name of a dimension of any size, which may be empty. */
  readonly shape: readonly (number | string)[];
}

/** What onnxruntime says about a model. */
export class RuntimeRefusal extends Error {
  static {
    this.prototype.name = "RuntimeRefusal";
  }
}

/** The largest extent; onnxruntime has more for those of any size. */
const MOST_EXTENT = 2 ** 31 - 1;

/** What the functions for the processor are known to do. */
const AT_ONCE = "onnxruntime does not compute at once";

const ALL_OPTIMISATIONS = 99;
/** What it refuses it says to the caller. */
const FATAL = 4;
/** Tensors in the memory of the WebAssembly, not on a GPU. */
const ON_HOST = 1;

/** A model in onnxruntime. */
export class Session {
  /** What must be given. */
  readonly inputs: readonly ValueInfo[];
  /** What may be asked for. */
  readonly outputs: readonly ValueInfo[];
  readonly #runtime: HeldRuntime;
  readonly #session: number;
  #broken = false;

  private constructor(runtime: HeldRuntime, session: number) {
    this.#runtime = runtime;
    this.#session = session;
    const { wasm } = runtime;
    const [inputs, outputs] = scratch(wasm, 2, (at) => {
      expect(wasm, wasm._OrtGetInputOutputCount(session, at, at + 4));
      return [wasm.HEAPU32[at / 4], wasm.HEAPU32[at / 4 + 1]];
    });
    const values = Array.from({ length: inputs + outputs }, (_, index) => this.#describe(index));
    this.inputs = values.slice(0, inputs);
    this.outputs = values.slice(inputs);
  }

  /**
   * @param model the content of an ONNX file
   * @param files those that it names, by the names it has for them
   * @throws RuntimeRefusal for what onnxruntime cannot load
   */
  static async open(
    model: Uint8Array,
    files: ReadonlyMap<string, Uint8Array>,
    threads: number,
  ): Promise<Session> {
    const runtime = await holdRuntime(threads);
    const { wasm } = runtime;
    let broken = false;
    try {
      return saying((held) => {
        const keep = (pointer: number) => held.adopt(pointer, (pointer) => wasm._free(pointer));
        const [data, logId] = [keep(copied(wasm, model)), keep(textIn(wasm, ""))];
        for (const [name, content] of files) wasm.mountExternalData(name, content);
        if (files.size > 0) held.defer(() => wasm.unmountExternalData());
        const modes = [ALL_OPTIMISATIONS, true, true, 0, false, 0, logId, FATAL, 0, 0] as const;
        const options = wasm._OrtCreateSessionOptions(...modes);
        held.defer(() => void wasm._OrtReleaseSessionOptions(options));
        const session = wasm._OrtCreateSession(data, model.length, options);
        if (typeof session !== "number") throw new Error(AT_ONCE);
        if (session === 0) expect(wasm, 1);
        return new Session(runtime, session);
      }, () => broken = true);
    } catch (error) {
      runtime.release(broken);
      throw error;
    }
  }

  /**
   * Runs the model.
   *
   * @param feeds a tensor for each input
   * @param names of the outputs that are wanted, which are tensors
   * @throws RuntimeRefusal for what onnxruntime cannot compute, and numbers that an input's type has not
   */
  run(feeds: ReadonlyMap<string, HostTensor>, names: readonly string[]): Map<string, HostTensor> {
    const { wasm } = this.#runtime;
    return saying((held) => {
      const keep = (pointer: number): number => held.adopt(pointer, (pointer) => wasm._free(pointer));
      const list = (pointers: readonly number[]): number => {
        const at = keep(allocate(wasm, 4 * pointers.length));
        wasm.HEAPU32.set(pointers, at / 4);
        return at;
      };
      const fed = this.inputs.map(({ name, type }) => {
        const { data, shape } = feeds.get(name)!;
        const numbers = encoded(name, type!, data);
        const [content, dims] = [keep(copied(wasm, numbers)), list(shape)];
        const tensor = wasm._OrtCreateTensor(typeNumber(type!), content, numbers.length, dims, shape.length, ON_HOST);
        if (tensor === 0) expect(wasm, 1);
        return held.adopt(tensor, (tensor) => void wasm._OrtReleaseTensor(tensor));
      });
      const text = (name: string) => keep(textIn(wasm, name));
      const given = list(names.map(() => 0));
      const status = wasm._OrtRun(
        this.#session,
        list(this.inputs.map(({ name }) => text(name))),
        list(fed),
        fed.length,
        list(names.map(text)),
        names.length,
        given,
        0,
      );
      if (typeof status !== "number") throw new Error(AT_ONCE);
      const tensors = Array.from(wasm.HEAPU32.subarray(given / 4, given / 4 + names.length));
      for (const tensor of tensors) {
        if (tensor !== 0) held.defer(() => void wasm._OrtReleaseTensor(tensor));
      }
      expect(wasm, status);
      return new Map(names.map((name, index) => [name, this.#read(name, tensors[index])]));
    }, () => this.#broken = true);
  }

  /** Gives the model's memory back. */
  dispose(): void {
    if (!this.#broken) this.#runtime.wasm._OrtReleaseSession(this.#session);
    this.#runtime.release(this.#broken);
  }

  #describe(index: number): ValueInfo {
    const { wasm } = this.#runtime;
    return scratch(wasm, 2, (at) => {
      expect(wasm, wasm._OrtGetInputOutputMetadata(this.#session, index, at, at + 4));
      const [nameAt, about] = [wasm.HEAPU32[at / 4], wasm.HEAPU32[at / 4 + 1]];
      const name = wasm.UTF8ToString(nameAt);
      const [number, dimensions] = [wasm.HEAP32[about / 4], wasm.HEAPU32[about / 4 + 1]];
      const type = ELEMENT_TYPES[number] ?? null;
      // Of what is no tensor there is nothing behind the type.
      const shape = number === 0 ? [] : Array.from({ length: dimensions }, (_, axis) => {
        const symbol = wasm.HEAPU32[about / 4 + 2 + axis];
        const extent = wasm.HEAPU32[about / 4 + 2 + dimensions + axis];
        return symbol !== 0 ? wasm.UTF8ToString(symbol) : extent <= MOST_EXTENT ? extent : "";
      });
      wasm._OrtFree(nameAt);
      wasm._OrtFree(about);
      return { name, type, shape };
    });
  }

  #read(name: string, tensor: number): HostTensor {
    const { wasm } = this.#runtime;
    return scratch(wasm, 4, (at) => {
      expect(wasm, wasm._OrtGetTensorData(tensor, at, at + 4, at + 8, at + 12));
      const [number, data, dims, dimensions] = wasm.HEAPU32.subarray(at / 4, at / 4 + 4);
      const shape = Array.from(wasm.HEAPU32.subarray(dims / 4, dims / 4 + dimensions));
      wasm._OrtFree(dims);
      const type = ELEMENT_TYPES[number];
      if (!type) throw new RuntimeRefusal(`its output ${JSON.stringify(name)} is not made of numbers`);
      const memory = new Uint8Array(wasm.HEAPU8.subarray(data, data + sizeOf(shape) * type.bytes));
      return { data: type.decode(memory.buffer), shape };
    });
  }
}

function encoded(input: string, type: ElementType, data: Float32Array): Uint8Array {
  try {
    return type.encode(data);
  } catch (error) {
    if (!(error instanceof OutsideType)) throw error;
    throw new RuntimeRefusal(`its input ${JSON.stringify(input)} ${error.message}`, { cause: error });
  }
}

const typeNumber = (type: ElementType) =>
  Number(Object.keys(ELEMENT_TYPES).find((number) => ELEMENT_TYPES[Number(number)] === type));

/** Words of WebAssembly's memory for the time of a call. */
function scratch<Result>(wasm: Wasm, words: number, body: (at: number) => Result): Result {
  const at = allocate(wasm, 4 * words);
  try {
    return body(at);
  } finally {
    wasm._free(at);
  }
}

function allocate(wasm: Wasm, bytes: number): number {
  const at = wasm._malloc(Math.max(bytes, 1));
  if (at === 0) throw new RuntimeRefusal(OUT_OF_MEMORY);
  return at;
}

function copied(wasm: Wasm, content: Uint8Array): number {
  const at = allocate(wasm, content.length);
  wasm.HEAPU8.set(content, at);
  return at;
}

function textIn(wasm: Wasm, text: string): number {
  const bytes = wasm.lengthBytesUTF8(text) + 1;
  const at = allocate(wasm, bytes);
  wasm.stringToUTF8(text, at, bytes);
  return at;
}

const OUT_OF_MEMORY = "it needs more memory than the 4 GiB that WebAssembly addresses: take smaller batches";

/** @throws RuntimeRefusal unless the status is 0 */
function expect(wasm: Wasm, status: number): void {
  if (status === 0) return;
  const message = scratch(wasm, 2, (at) => {
    wasm._OrtGetLastError(at, at + 4);
    const pointer = wasm.HEAPU32[at / 4 + 1];
    return pointer === 0 ? "" : wasm.UTF8ToString(pointer);
  });
  throw new RuntimeRefusal(
    /bad_alloc|Failed to allocate|Integer overflow|shape is too large/.test(message)
      ? OUT_OF_MEMORY
      : sentence(message),
  );
}

/** Without the places in onnxruntime's own sources and what comes behind the first line. */
function sentence(message: string): string {
  const [first] = message.split("\n");
  const plain = first.replace(/\/\S+\.(?:cc|h):\d+ [\w:~<>]+(?:\([^)]*\))?(?: const)? ?/g, "")
    .replace(/^(?:\w+ \*?)?[\w:<>~]+::\w+\(.*?\)(?: const)? (?=[A-Z"[])/, "")
    .replace(/^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : /, "").trim();
  return `onnxruntime says: ${visible(shorten(plain, MOST_LETTERS)).replace(/\.$/, "")}`;
}

const MOST_LETTERS = 300;

/**
 * Runs what holds parts of WebAssembly's memory, and gives them back. What WebAssembly itself throws, as where its
 * memory has an end, becomes a refusal.
 *
 * @param breaks is called then: what it left in the memory nobody can use, nor give back
 */
function saying<Result>(body: (held: Owned) => Result, breaks: () => void): Result {
  const held = new Owned();
  try {
    const result = body(held);
    held.dispose();
    return result;
  } catch (error) {
    if (error instanceof RuntimeRefusal) held.dispose();
    if (error instanceof RuntimeRefusal) throw error;
    // What C++ throws is no Error.
    const isOwn = error instanceof Error && !(error instanceof WebAssembly.RuntimeError || error instanceof RangeError);
    if (isOwn) throw error;
    breaks();
    throw new RuntimeRefusal(OUT_OF_MEMORY, { cause: error });
  }
}
