/** Sizes are rounded up to classes, four to each power of two, so that freed buffers fit later requests. */
export function sizeClass(bytes: number): number {
  if (bytes <= 1024) return Math.max(256, Math.ceil(bytes / 256) * 256);
  const quarter = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / quarter) * quarter;
}

/**
 * Buffers waiting for reuse, by size. A training step asks for the same sizes in the same order, so from the second
 * step on it gets the same buffers, and with them the same cached bind groups.
 */
export class BufferPool {
  readonly #waiting = new Map<number, GPUBuffer[]>();

  constructor(private readonly device: GPUDevice, private readonly usage: number) {}

  take(bytes: number): GPUBuffer {
    // Near the limit the class may be larger than a buffer can be, though the request is not.
    const classSize = sizeClass(bytes);
    const size = classSize <= this.device.limits.maxBufferSize ? classSize : bytes;
    return this.#waiting.get(size)?.pop() ?? this.device.createBuffer({ size, usage: this.usage });
  }

  give(buffer: GPUBuffer): void {
    const waiting = this.#waiting.get(buffer.size);
    if (waiting) waiting.push(buffer);
    else this.#waiting.set(buffer.size, [buffer]);
  }

  /** Destroys what waits. */
  clear(): void {
    for (const buffers of this.#waiting.values()) for (const buffer of buffers) buffer.destroy();
    this.#waiting.clear();
  }
}
