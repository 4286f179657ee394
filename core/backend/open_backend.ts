import { UserError } from "../errors.ts";
import type { Backend } from "./backend.ts";
import { CpuBackend } from "./cpu/cpu_backend.ts";
import { describeAdapter, findAdapter, isSoftware } from "./webgpu/adapter.ts";
import { WebGpuBackend } from "./webgpu/webgpu_backend.ts";

/** The user's choice of backend. */
export type BackendChoice = "auto" | "webgpu" | "cpu";

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
 * @throws UserError if `webgpu` is asked for and there is no adapter
 */
export async function openBackend(choice: BackendChoice): Promise<OpenedBackend> {
  if (choice === "cpu") return { backend: await CpuBackend.create(), reason: "as asked for" };
  const adapter = await findAdapter();
  if (choice === "webgpu") {
    if (!adapter) {
      throw new UserError(
        "Cannot use --backend webgpu as no WebGPU adapter was found: install a Vulkan driver, or use --backend cpu",
      );
    }
    return { backend: await WebGpuBackend.create(adapter), reason: "as asked for" };
  }
  if (adapter && !isSoftware(adapter)) {
    return {
      backend: await WebGpuBackend.create(adapter),
      reason: "a hardware GPU was found; --backend cpu avoids it",
    };
  }
  const why = adapter
    ? `the only adapter is software (${describeAdapter(adapter)}), which --backend webgpu uses`
    : "no GPU was found";
  return { backend: await CpuBackend.create(), reason: why };
}
