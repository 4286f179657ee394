import { expectArguments } from "../arguments.ts";
import { showValue } from "../visible.ts";
import { UserError } from "../errors.ts";
import { nativeLibrary } from "../native_library.ts";
import type { Backend } from "./backend.ts";
import { CpuBackend } from "./cpu/cpu_backend.ts";
import { describeAdapter, findAdapter, isSoftware } from "./webgpu/adapter.ts";
import { WebGpuBackend } from "./webgpu/webgpu_backend.ts";

/** The user's choice of backend. */
export type BackendChoice = "auto" | "webgpu" | "cpu";

/** All of them. */
export const BACKEND_CHOICES: readonly BackendChoice[] = ["auto", "webgpu", "cpu"];

/** How a backend computes. */
export interface BackendOptions {
  /** `float64` is for gradient checks: the cpu alone has it, in plain loops. `float32` by default. */
  readonly precision?: Backend["precision"];
  /** Whether tensors of float16 may be wanted: asks for the feature `shader-f16`, where the adapter has it. */
  readonly f16?: boolean;
  /** Threads of the cpu backend; by default one for each processor, 8 at most. */
  readonly threads?: number;
  /**
   * Whether the cpu backend's matrix products may be those of a native library (OpenBLAS, BLIS, MKL, Accelerate): one
   * is used where it is found, and where Deno was given the permission to load it (`--allow-ffi=FILE`). `true` by
   * default.
   */
  readonly native?: boolean;
  /** Where WebGPU comes from, if it is not `navigator.gpu`: in Node.js it is a package's. */
  readonly gpu?: GPU;
}

/** A backend and one line that says why it was taken and how to take another. */
export interface OpenedBackend {
  /** The backend; its user closes it. */
  readonly backend: Backend;
  /** Why this one, and how to take another. */
  readonly reason: string;
}

/**
 * Opens a backend. `auto` takes a hardware GPU where there is one, else the cpu: a software adapter computes on the
 * same cpu through a detour, so it is used only when asked for.
 *
 * @throws UserError if `webgpu` is asked for and there is no adapter, or it is asked for float64
 *
 * @example Gradients in doubles, to hold those of an operation or a loss of your own against
 * ```ts
 * import { createOps, openBackend } from "@opdf/opdf";
 *
 * const { backend } = await openBackend("cpu", { precision: "float64" });
 * const ops = createOps(backend);
 * const x = ops.keep(ops.tensor([1, 2, 3]));
 * const { gradients } = ops.differentiate(() => ops.sum(ops.square(x)), [x]);
 * console.log(await gradients[0]!.read()); // Float64Array [ 2, 4, 6 ]
 * await backend.close();
 * ```
 */
export async function openBackend(choice: BackendChoice, options: BackendOptions = {}): Promise<OpenedBackend> {
  expectArguments("openBackend", { options: [options, "a map"] });
  if (!BACKEND_CHOICES.includes(choice)) {
    throw new TypeError(
      `Cannot call openBackend: expected auto, webgpu or cpu as its choice, got ${showValue(choice)}`,
    );
  }
  const openCpu = () => {
    const { precision, threads, native = true } = options;
    return CpuBackend.create({ precision, threads, library: native ? nativeLibrary() : null });
  };
  if (choice === "cpu") return { backend: await openCpu(), reason: "as asked for" };
  if (options.precision === "float64") {
    if (choice === "webgpu") throw new UserError("Cannot compute in float64 on WebGPU: it has float32; use cpu");
    return { backend: await openCpu(), reason: "only the cpu computes in float64" };
  }
  const { f16 } = options;
  const adapter = await findAdapter(options.gpu);
  if (choice === "webgpu") {
    if (!options.gpu && !globalThis.navigator?.gpu) {
      throw new UserError(
        "Cannot use webgpu as there is none in this runtime: hand one to openBackend, as " +
          '`{ gpu: create([]) }` of the package "webgpu", or use cpu',
      );
    }
    if (!adapter) {
      throw new UserError(
        "Cannot use --backend webgpu as no WebGPU adapter was found: install a Vulkan driver, or use --backend cpu",
      );
    }
    return { backend: await WebGpuBackend.create(adapter, { f16 }), reason: "as asked for" };
  }
  if (adapter && !isSoftware(adapter)) {
    return {
      backend: await WebGpuBackend.create(adapter, { f16 }),
      reason: "a hardware GPU was found; --backend cpu avoids it",
    };
  }
  const why = adapter
    ? `the only adapter is software (${describeAdapter(adapter)}), which --backend webgpu uses`
    : "no GPU was found";
  return { backend: await openCpu(), reason: why };
}
