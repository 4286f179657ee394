import { describeAdapter, isSoftware } from "../../core/backend/webgpu/adapter.ts";

/** The properties of a WebGPU adapter that matter here. */
export interface AdapterReport {
  readonly name: string;
  readonly software: boolean;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

/** Limits that decide how large models may be and which kernels run. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
] as const;

/** Features that kernels can make use of. */
const FEATURES = ["shader-f16", "timestamp-query", "subgroups"];

/** All adapters that can be asked for, the one that `--backend webgpu` takes first. */
export async function listAdapters(): Promise<AdapterReport[]> {
  if (!("gpu" in navigator)) return [];
  const wishes: GPURequestAdapterOptions[] = [
    { powerPreference: "high-performance" },
    { powerPreference: "low-power" },
    { forceFallbackAdapter: true },
  ];
  const reports = new Map<string, AdapterReport>();
  for (const wish of wishes) {
    const adapter = await navigator.gpu.requestAdapter(wish);
    if (!adapter) continue;
    const name = describeAdapter(adapter);
    reports.set(name, {
      name,
      software: isSoftware(adapter),
      limits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
      features: FEATURES.filter((feature) => adapter.features.has(feature as GPUFeatureName)),
    });
  }
  return [...reports.values()];
}

/**
 * Advice for a faster or quieter machine.
 *
 * @param runtimeFolder the variable `XDG_RUNTIME_DIR`
 * @param hasLibrary whether there is a native matrix library
 */
export function hintsFor(
  adapters: readonly AdapterReport[],
  { os, runtimeFolder, hasLibrary }: {
    readonly os: string;
    readonly runtimeFolder: string | undefined;
    readonly hasLibrary: boolean;
  },
): string[] {
  const hints: string[] = [];
  if (adapters.length === 0) {
    const how = os === "linux"
      ? "install a Vulkan driver (on Debian the package mesa-vulkan-drivers)"
      : "update the driver";
    hints.push(`No WebGPU adapter was found: ${how}, or stay with the cpu backend`);
  }
  // The adapter does not tell the version of its Mesa.
  if (adapters.some(({ name }) => name.includes("llvmpipe"))) {
    hints.push(
      "The software adapter is several times faster with Mesa 25 than with 22, which Debian 12 has: take it from " +
        "bookworm-backports (apt-get install -t bookworm-backports mesa-vulkan-drivers)",
    );
  }
  if (os === "linux" && adapters.length > 0 && !runtimeFolder) {
    hints.push(
      "XDG_RUNTIME_DIR is not set, so that Mesa may write two harmless lines to standard error: set it to /tmp",
    );
  }
  if (os === "linux" && !hasLibrary && adapters.every(({ software }) => software)) {
    hints.push(
      "Matrix products on the cpu are several times faster with OpenBLAS: install it (on Debian and Ubuntu " +
        "libopenblas0-pthread, on Fedora openblas-threads, on Arch openblas), and put `native` before the verb, as in " +
        "`deno task native distill`",
    );
  }
  return hints;
}
