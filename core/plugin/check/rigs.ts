import type { Backend } from "../../backend/backend.ts";
import { CpuBackend } from "../../backend/cpu/cpu_backend.ts";
import { findAdapter } from "../../backend/webgpu/adapter.ts";
import { WebGpuBackend } from "../../backend/webgpu/webgpu_backend.ts";
import { createOps, type Ops } from "../../ops/ops.ts";
import { Skipped } from "./check.ts";

/** The backends that checks are made on: float64 is the reference. */
export type RigName = "float64" | "cpu" | "webgpu";

/** Opens each backend when it is first asked for. */
export class Rigs {
  readonly #open = new Map<RigName, Backend>();

  /** @param requireWebgpu whether a missing adapter is a failure; else the checks on webgpu are skipped */
  constructor(private readonly requireWebgpu: boolean) {}

  /** The operations of a backend. @throws Skipped if it is not there */
  async ops(name: RigName): Promise<Ops> {
    const backend = this.#open.get(name) ?? await this.#create(name);
    this.#open.set(name, backend);
    return createOps(backend);
  }

  /** Closes what was opened. */
  async close(): Promise<void> {
    for (const backend of this.#open.values()) await backend.close();
  }

  async #create(name: RigName): Promise<Backend> {
    if (name === "float64") return await CpuBackend.create({ precision: "float64" });
    if (name === "cpu") return await CpuBackend.create();
    const adapter = await findAdapter();
    if (adapter) return await WebGpuBackend.create(adapter);
    throw this.requireWebgpu ? new Error("no WebGPU adapter was found") : new Skipped("no WebGPU adapter was found");
  }
}
