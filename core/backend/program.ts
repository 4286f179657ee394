import type { View } from "./backend.ts";
import type { AnyKernel } from "./kernel.ts";

/** A run of a kernel, as data. */
export interface KernelCall {
  /** The kernel. */
  readonly kernel: AnyKernel;
  /** What it reads and writes. */
  readonly views: Readonly<Record<string, View>>;
  /** The numbers beside. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** A copy between views, as data. */
export interface CopyCall {
  /** The numbers to copy. */
  readonly source: View;
  /** The place they are copied to. */
  readonly target: View;
}

/** The arguments of one `Backend.run` or `Backend.copy`. */
export type Call = KernelCall | CopyCall;

/** A list of calls that was made ready once, to be enqueued many times. */
export interface Program {
  /** Enqueues all calls in their order. */
  run(): void;
  /**
   * Gives a kernel's parameter another value from the next run on. How many workgroups run must not depend on it: that
   * was decided when the program was made.
   *
   * @param call the kernel's place in the list of calls
   * @param parameter its name
   * @param value what it is from now on
   */
  set(call: number, parameter: string, value: number): void;
  /** Gives back what the program itself holds; the storages that it works on belong to whoever allocated them. */
  dispose(): void;
}
