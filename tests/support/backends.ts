import { allowedLibrary } from "../../core/deno/native_libraries.ts";
import { hardwareKind } from "../../core/backend/adapter_kinds.ts";
import type { AdapterTraits } from "../../core/backend/kernel.ts";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { createMemory } from "../../core/backend/cpu/wasm/load.ts";
import type { OpenedLibrary } from "../../core/native_library.ts";
import type { Backend } from "../../core/backend/backend.ts";
import { findAdapter } from "../../core/backend/webgpu/adapter.ts";
import { WebGpuBackend, type WebGpuOptions } from "../../core/backend/webgpu/webgpu_backend.ts";

/** How a test gets a backend. */
export interface BackendCase {
  readonly name: string;
  /** Where this backend cannot be had, its tests are reported as ignored; under CI=true they run, and so they fail. */
  readonly available: boolean;
  open(): Promise<Backend>;
}

/** By the specification an adapter gives one device, so each test asks for its own. */
const isThere = await findAdapter() !== null;

/** `deno test ... -- --traits=hardware --limits=default` tries what a hardware adapter, or a small one, would run. */
const options: WebGpuOptions = {
  traits: Deno.args.includes("--traits=hardware") ? hardwareKind : {},
  defaultLimits: Deno.args.includes("--limits=default"),
};

export const float64: BackendCase = {
  name: "cpu float64",
  available: true,
  open: () => CpuBackend.create({ precision: "float64" }),
};

/** `-- --native` multiplies matrices by this machine's library, where it has one. */
const native = Deno.args.includes("--native");
const library = native ? allowedLibrary() : null;

export const cpu: BackendCase = {
  name: library ? `cpu, ${library.maker}` : "cpu",
  available: !native || library !== null || Deno.env.get("CI") === "true",
  open: () => {
    if (native && !library) {
      throw new Error("No matrix library was found that may be loaded: under CI=true that is a failure");
    }
    return CpuBackend.create({ library });
  },
};

/** The library's functions on this thread; without a library there are none. */
export function openedLibrary(): Partial<OpenedLibrary> {
  return library?.open(library.path, library.maker, createMemory(1)) ?? {};
}

const onWebGpu = (name: string, traits: Partial<AdapterTraits> = {}, f16 = false): BackendCase => ({
  name,
  available: !native && (isThere || Deno.env.get("CI") === "true"),
  open: async () => {
    const adapter = await findAdapter();
    if (!adapter) throw new Error("No WebGPU adapter was found: under CI=true that is a failure");
    return await WebGpuBackend.create(adapter, { ...options, f16, traits: { ...options.traits, ...traits } });
  },
});

/** Whether the adapter can store float16; not all do, so that without it tests are ignored even under CI=true. */
const hasF16 = (await findAdapter())?.features.has("shader-f16") ?? false;

/** With float16 storage, as the adapter is and as on hardware. */
export const halves: readonly BackendCase[] = [
  { ...onWebGpu("webgpu, f16", {}, true), available: hasF16 },
  { ...onWebGpu("webgpu, hardware, f16", hardwareKind, true), available: hasF16 },
];

export const webgpu: BackendCase = onWebGpu("webgpu");

/**
 * As on an adapter with fast workgroup memory, whatever the adapter at hand is. Where all tests run so, once is enough:
 * compiling takes a software adapter most of the time.
 */
export const hardware: BackendCase = {
  ...onWebGpu("webgpu, hardware", hardwareKind),
  ...Deno.args.includes("--traits=hardware") && { available: false },
};

/** The same, but so small that large blocks leave threads enough. */
export const smallHardware: BackendCase = onWebGpu("webgpu, small hardware", { ...hardwareKind, enoughThreads: 1 });

/** Both backends that users run on. */
export const backends: readonly BackendCase[] = [cpu, webgpu];

/** Registers a test once for each backend; the backend is closed afterwards. */
export function testBackends(name: string, body: (backend: Backend) => Promise<void> | void, cases = backends): void {
  for (const backendCase of cases) {
    Deno.test({
      name: `${name} (${backendCase.name})`,
      ignore: !backendCase.available,
      fn: async () => {
        const backend = await backendCase.open();
        try {
          await body(backend);
        } finally {
          await backend.close();
        }
      },
    });
  }
}
