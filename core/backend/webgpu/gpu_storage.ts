import type { Storage } from "../backend.ts";

/** A block of GPU memory. */
export class GpuStorage implements Storage {
  /** Bytes of the buffer, which may be longer than the numbers. */
  readonly bytes: number;
  /** The same number for the same buffer. */
  readonly id: number;

  constructor(readonly length: number, readonly buffer: GPUBuffer) {
    this.bytes = buffer.size;
    this.id = bufferId(buffer);
  }
}

const bufferIds = new WeakMap<GPUBuffer, number>();
let nextBufferId = 0;

/** Buffers come back from the pool; their number, unlike a storage's, says which cached bind group fits. */
function bufferId(buffer: GPUBuffer): number {
  let id = bufferIds.get(buffer);
  if (id === undefined) bufferIds.set(buffer, id = nextBufferId++);
  return id;
}
