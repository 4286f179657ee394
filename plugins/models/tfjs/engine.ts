import type { Exchange, GpuExchange } from "../../../core/backend/exchange.ts";
import { UserError } from "../../../core/errors.ts";
import { importTensorflow, type Tensorflow } from "./library.ts";

/** TensorFlow.js with a backend of its own to compute on. */
export interface Engine {
  readonly tf: Tensorflow;
  /** TensorFlow.js's name of the backend. */
  readonly name: string;
  /**
   * Runs `body`, which may be async, while TensorFlow.js computes here. It has one current backend for the whole process,
   * which is afterwards what it was.
   */
  within<Result>(body: () => Result): Result;
  /** Gives everything back. */
  close(): void;
}

/** Opens an engine. @throws UserError if TensorFlow.js cannot be loaded or started */
export type OpenEngine = () => Promise<Engine>;

/**
 * What TensorFlow.js can compute on beside a backend of ours, best first: our GPUDevice, or on the host WebAssembly and,
 * for the few operations that it lacks, plain JavaScript, which takes ten times as long.
 */
export function enginesBeside(exchange: Exchange): readonly OpenEngine[] {
  if (exchange.on === "webgpu") return [() => openOnDevice(exchange)];
  return [() => openOnHost("wasm"), () => openOnHost("cpu")];
}

let opened = 0;

async function openOnDevice({ device }: GpuExchange): Promise<Engine> {
  const tf = await importTensorflow("tfjs-core");
  const { WebGPUBackend } = await importTensorflow("tfjs-backend-webgpu");
  // A name of our own: another part of the program may use the backend "webgpu" on a device of its own.
  const name = `opdf-webgpu-${++opened}`;
  tf.registerBackend(name, () => new WebGPUBackend(device, device.adapterInfo));
  tf.copyRegisteredKernels("webgpu", name);
  return await start(tf, name, () => {
    tf.removeBackend(name);
    for (const { kernelName } of tf.getKernelsForBackend(name)) tf.unregisterKernel(kernelName, name);
  });
}

async function openOnHost(name: "wasm" | "cpu"): Promise<Engine> {
  const tf = await importTensorflow("tfjs-core");
  await importTensorflow(`tfjs-backend-${name}`);
  return await start(tf, name, () => {});
}

async function start(tf: Tensorflow, name: string, close: () => void): Promise<Engine> {
  // Otherwise it advises its users in many lines to install its package for Node.js.
  tf.enableProdMode();
  const before = tf.getBackend() as string | undefined;
  const started = await tf.setBackend(name);
  if (before) await tf.setBackend(before);
  if (!started) throw new UserError(`Cannot start TensorFlow.js: its backend "${name}" does not run here`);
  return {
    tf,
    name,
    close,
    within(body) {
      const before = tf.getBackend() as string | undefined;
      // It returns a promise, but what has been started once is current when it returns.
      const restore = () => void (before && before !== name && tf.setBackend(before));
      if (before !== name) void tf.setBackend(name);
      let result;
      try {
        result = body();
      } catch (error) {
        restore();
        throw error;
      }
      if (result instanceof Promise) return result.finally(restore) as typeof result;
      restore();
      return result;
    },
  };
}
