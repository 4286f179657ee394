import { importPackage } from "../../plugin/import_package.ts";
import { UserError } from "../../errors.ts";

/** The version whose functions are described here; they are not those of its public interface. */
export const VERSION = "1.30.0";

/**
 * onnxruntime compiled to WebAssembly, as `onnxruntime-web` runs it. Its public interface waits for a promise in each
 * run, which this does not need: on the processor everything is computed when the call returns. Pointers are numbers,
 * 0 for none; functions that return a status return 0 where all is well.
 */
export interface Wasm {
  readonly HEAPU8: Uint8Array;
  readonly HEAP32: Int32Array;
  readonly HEAPU32: Uint32Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  lengthBytesUTF8(text: string): number;
  stringToUTF8(text: string, pointer: number, bytes: number): void;
  UTF8ToString(pointer: number): string;
  /** Makes a file of a model's folder known. */
  mountExternalData(path: string, content: Uint8Array): void;
  /** Makes all of them unknown again. */
  unmountExternalData(): void;
  _OrtInit(threads: number, logLevel: number): number;
  /** Writes status and message. */
  _OrtGetLastError(status: number, message: number): number;
  _OrtCreateSessionOptions(
    optimise: number,
    arena: boolean,
    pattern: boolean,
    mode: number,
    profile: boolean,
    profileFile: number,
    logId: number,
    logLevel: number,
    verbosity: number,
    optimisedFile: number,
  ): number;
  _OrtReleaseSessionOptions(options: number): number;
  _OrtCreateSession(model: number, bytes: number, options: number): number | Promise<number>;
  _OrtReleaseSession(session: number): number;
  _OrtGetInputOutputCount(session: number, inputs: number, outputs: number): number;
  /** Writes the name, and a pointer to type, number of dimensions, their names and their extents. */
  _OrtGetInputOutputMetadata(session: number, index: number, name: number, metadata: number): number;
  _OrtFree(pointer: number): number;
  _OrtCreateTensor(
    type: number,
    data: number,
    bytes: number,
    shape: number,
    dimensions: number,
    location: number,
  ): number;
  /** Writes type, data, shape and number of dimensions. */
  _OrtGetTensorData(tensor: number, type: number, data: number, shape: number, dimensions: number): number;
  _OrtReleaseTensor(tensor: number): number;
  _OrtRun(
    session: number,
    inputNames: number,
    inputs: number,
    inputCount: number,
    outputNames: number,
    outputCount: number,
    outputs: number,
    options: number,
  ): number | Promise<number>;
}

/** Starts onnxruntime in a memory of its own. */
export type StartWasm = (settings: {
  readonly numThreads: number;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<Wasm>;

/**
 * Imports onnxruntime, which finds its WebAssembly beside itself. The name is put together here, so that Deno does not
 * see it among the program's imports: the package is fetched, once, when a recipe first asks for it.
 *
 * @throws UserError if it can neither be found in Deno's cache nor fetched
 */
export async function importOnnxruntime(): Promise<StartWasm> {
  const specifier = [`npm:onnxruntime-web@${VERSION}`, "ort-wasm-simd-threaded.mjs"].join("/");
  try {
    return (await importPackage(specifier) as { default: StartWasm }).default;
  } catch (error) {
    throw new UserError(
      `Cannot load "${specifier}", which Deno fetches (33 MB), and Node.js wants installed, when ONNX is first ` +
        `used: ${firstLine(error)}`,
      { cause: error },
    );
  }
}

/** What went wrong, for a sentence: the rest of a message is a stack or an address. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0].trim().replace(/\.$/, "");
}
