import type { Device } from "../device.ts";
import type { Tensor } from "../tensor.ts";

/** Blocks of memory that several recordings work in, one after the other. */
export class Arena {
  readonly blocks: Tensor[] = [];

  constructor(private readonly device: Device) {}

  get lengths(): number[] {
    return this.blocks.map(({ size }) => size);
  }

  /** Adds blocks, so that there are those of `lengths`; the first of them are there already. */
  extend(lengths: readonly number[]): void {
    for (const length of lengths.slice(this.blocks.length)) {
      this.blocks.push(this.device.keep(this.device.empty([length])));
    }
  }

  dispose(): void {
    for (const block of this.blocks.splice(0)) block.dispose();
  }
}
