import type { Device } from "../device.ts";
import { chunkOf, type Reduction } from "../kernels/strips.ts";

/** A reduction's length cut into chunks that different threads sum. */
export interface Chunks {
  readonly chunk: number;
  readonly chunks: number;
}

/**
 * The chunks of a reduction. The cpu has no use for them: one pass, in doubles.
 *
 * @param onSoftware numbers of a chunk on a software adapter, where one thread takes it
 */
export function chunksOf(device: Device, reduction: Reduction, onSoftware: number): Chunks {
  const { traits } = device.backend;
  const { length } = reduction;
  const chunk = !traits ? length : traits.software ? Math.min(length, onSoftware) : chunkOf(reduction);
  return { chunk, chunks: Math.max(1, Math.ceil(length / Math.max(1, chunk))) };
}
