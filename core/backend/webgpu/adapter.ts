import { UserError } from "../../errors.ts";
import { hardwareKind, softwareKind } from "../adapter_kinds.ts";
import type { AdapterTraits } from "../kernel.ts";

/**
 * The limits that are asked for beyond WebGPU's defaults: the sizes of buffers, as much as the adapter offers. A
 * device's limits are fixed when it is opened, and which tensors there will be is known only later, so what a shape may
 * need has to be asked for at once; a device opened anew would have none of the tensors made so far. Every other limit
 * stays at its default, which no kernel exceeds: a program that runs here runs on every adapter that is large enough.
 */
const LIMITS = ["maxStorageBufferBindingSize", "maxBufferSize"] as const;

/** The most numbers of one storage buffer of a device. */
export function mostNumbersOf({ limits }: GPUDevice): number {
  return Math.floor(Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / 4);
}

/**
 * The adapter that WebGPU would use, or `null` without one.
 *
 * @param gpu in place of the runtime's WebGPU, which not every runtime has
 */
export async function findAdapter(gpu: GPU | undefined = globalThis.navigator?.gpu): Promise<GPUAdapter | null> {
  return await gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? null;
}

/** Whether an adapter computes on the processor (lavapipe, SwiftShader, WARP). */
export function isSoftware(adapter: GPUAdapter): boolean {
  const { isFallbackAdapter, description, architecture } = adapter.info;
  return isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|warp|basic render/i.test(`${description} ${architecture}`);
}

export function describeAdapter(adapter: GPUAdapter): string {
  const { description, vendor, architecture } = adapter.info;
  return description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter";
}

export function traitsOf(adapter: GPUAdapter, device: GPUDevice): AdapterTraits {
  const software = isSoftware(adapter);
  return {
    ...(software ? softwareKind : hardwareKind),
    maxWorkgroupInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupStorageBytes: device.limits.maxComputeWorkgroupStorageSize,
    maxWorkgroupsPerDimension: device.limits.maxComputeWorkgroupsPerDimension,
  };
}

/**
 * A device whose buffers may be as large as the adapter allows, with WebGPU's default limits otherwise.
 *
 * @param options `defaultLimits`: whether to ask for WebGPU's default ones instead; `f16`: whether to ask for float16,
 * where the adapter has it
 * @throws UserError if the adapter gives none
 */
export async function openDevice(
  adapter: GPUAdapter,
  { defaultLimits = false, f16 = false }: { readonly defaultLimits?: boolean; readonly f16?: boolean } = {},
): Promise<GPUDevice> {
  const requiredLimits = defaultLimits ? {} : Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  try {
    const requiredFeatures: GPUFeatureName[] = f16 && adapter.features.has("shader-f16") ? ["shader-f16"] : [];
    return await adapter.requestDevice({ requiredLimits, requiredFeatures });
  } catch (error) {
    throw new UserError(
      `Cannot open the GPU "${describeAdapter(adapter)}": ${(error as Error).message}; --backend cpu runs without it`,
    );
  }
}
