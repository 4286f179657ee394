import type { NumberFormat } from "../backend/format.ts";
import type { Device } from "../device.ts";
import type { Tensor } from "../tensor.ts";
import { sumOver } from "./sum.ts";

/**
 * What to cut a sum over rows into, for a result of so many numbers or vectors, each of which one thread sums: enough
 * parts to keep an adapter busy, none on the cpu.
 */
export function rowParts(device: Device, rows: number, results: number): { parts: number; partRows: number } {
  const wanted = Math.ceil((device.backend.traits?.enoughThreads ?? 1) / Math.max(1, results));
  const partRows = Math.max(1, Math.ceil(rows / wanted));
  return { parts: Math.max(1, Math.ceil(rows / partRows)), partRows };
}

/** The sum of parts `[parts, ...shape]`. */
export function sumOfParts(
  device: Device,
  partials: Tensor,
  shape: readonly number[],
  format: NumberFormat = "f32",
): Tensor {
  const whole = partials.shape[0] === 1 ? partials : sumOver(device, partials, new Set([0]), 1, format);
  return device.alias(whole, shape);
}
