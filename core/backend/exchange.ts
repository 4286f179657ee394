import type { Floats, View } from "./backend.ts";

/**
 * How numbers go to another library that computes where the backend does, and come back, without a wait: a model that
 * is run by such a library uses it. What it enqueues is not known to a recording, so such a model says `replay: false`.
 */
export type Exchange = GpuExchange | HostExchange;

/** Of the `webgpu` backend, for a library that computes on the same GPUDevice. */
export interface GpuExchange {
  /** The backend's name. */
  readonly on: "webgpu";
  /** The device; it stays the backend's, which destroys it when it closes. */
  readonly device: GPUDevice;
  /**
   * Sends all that was enqueued, and after it a copy to the start of a buffer that is not the backend's: what is
   * submitted to the device's queue from now on reads the numbers there.
   *
   * @param source the numbers, as float32
   * @param target a buffer with the usage COPY_DST
   */
  copyOut(source: View, target: GPUBuffer): void;
  /**
   * Sends a copy from the start of a buffer that is not the backend's, after what was submitted to the device's queue.
   * The buffer may be written again or freed at once.
   *
   * @param source a buffer of float32 numbers with the usage COPY_SRC
   * @param target where they go
   */
  copyIn(source: GPUBuffer, target: View): void;
}

/** Of the `cpu` backend, where every kernel has run when its call returns. */
export interface HostExchange {
  /** The backend's name. */
  readonly on: "cpu";
  /** The numbers of a view themselves, not a copy: they change with it, and may lie in shared memory. */
  numbers(view: View): Floats;
}
