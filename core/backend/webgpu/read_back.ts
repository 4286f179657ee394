import { float16ToFloat32 } from "../../float16.ts";
import type { View } from "../backend.ts";
import { beginOf, bytesOf } from "../format.ts";
import { BUFFER_USAGE, MAP_MODE } from "./flags.ts";
import type { GpuStorage } from "./gpu_storage.ts";

/** Views are read together until they come to so many bytes; a longer one is read alone. */
const MOST_BYTES = 2 ** 22;

/** A view's numbers in a buffer that the host can map. */
interface Part {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  /** In bytes; less than was copied if there are none. */
  readonly length: number;
  /** Whether the numbers are float16. */
  readonly half: boolean;
}

/**
 * Copies views to where the host can read them: many small ones into one buffer, as mapping each costs a round trip.
 */
export class ReadBack {
  readonly #parts: Part[] = [];

  constructor(device: GPUDevice, encoder: GPUCommandEncoder, views: readonly View[]) {
    const usage = BUFFER_USAGE.MAP_READ | BUFFER_USAGE.COPY_DST;
    for (let next = 0; next < views.length;) {
      const first = next;
      let size = 0;
      do size += copiedBytes(views[next++]); while (
        next < views.length && size + copiedBytes(views[next]) <= MOST_BYTES
      );
      const buffer = device.createBuffer({ size, usage });
      let offset = 0;
      for (const view of views.slice(first, next)) {
        const bytes = copiedBytes(view);
        encoder.copyBufferToBuffer((view.storage as GpuStorage).buffer, beginOf(view), buffer, offset, bytes);
        this.#parts.push({ buffer, offset, length: bytesOf(view), half: view.format === "f16" });
        offset += bytes;
      }
    }
  }

  /** Waits until the copies are made. */
  async map(): Promise<void> {
    await Promise.all([...this.#buffers()].map((buffer) => buffer.mapAsync(MAP_MODE.READ)));
  }

  /** The views' numbers in their order, to keep. */
  numbers(): Float32Array[] {
    const mapped = new Map([...this.#buffers()].map((buffer) => [buffer, buffer.getMappedRange()]));
    return this.#parts.map(({ buffer, offset, length, half }) => {
      const bytes = mapped.get(buffer)!.slice(offset, offset + length);
      return half ? float16ToFloat32(new Uint16Array(bytes)) : new Float32Array(bytes);
    });
  }

  dispose(): void {
    for (const buffer of this.#buffers()) buffer.destroy();
  }

  #buffers(): Set<GPUBuffer> {
    return new Set(this.#parts.map(({ buffer }) => buffer));
  }
}

/** Copies are of four bytes or more at a time. */
const copiedBytes = (view: View) => Math.max(Math.ceil(bytesOf(view) / 4) * 4, 4);
