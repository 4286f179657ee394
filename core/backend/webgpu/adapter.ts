import { UserError } from "../../errors.ts";
import { hardwareKind, softwareKind } from "../adapter_kinds.ts";
import type { AdapterTraits } from "../kernel.ts";

/** Limits worth asking for beyond WebGPU's low defaults. */
const LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxStorageBuffersPerShaderStage",
] as const;

/** The adapter that WebGPU would use, or `null` without one. */
export async function findAdapter(): Promise<GPUAdapter | null> {
  if (!("gpu" in navigator)) return null;
  return await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
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
  return {
    ...(isSoftware(adapter) ? softwareKind : hardwareKind),
    maxWorkgroupInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupStorageBytes: device.limits.maxComputeWorkgroupStorageSize,
    maxWorkgroupsPerDimension: device.limits.maxComputeWorkgroupsPerDimension,
  };
}

/**
 * A device with the adapter's full limits.
 *
 * @param defaultLimits whether to ask for WebGPU's default ones instead
 * @throws UserError if the adapter gives none
 */
export async function openDevice(adapter: GPUAdapter, defaultLimits = false): Promise<GPUDevice> {
  const requiredLimits = defaultLimits ? {} : Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  try {
    return await adapter.requestDevice({ requiredLimits });
  } catch (error) {
    throw new UserError(
      `Cannot open the GPU "${describeAdapter(adapter)}": ${(error as Error).message}; --backend cpu runs without it`,
    );
  }
}
