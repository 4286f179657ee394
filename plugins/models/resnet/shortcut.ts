import type { Ops } from "../../../core/ops/ops.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { Block } from "./architecture.ts";

/**
 * The shortcut without weights (He et al. 2016, section 3.3, option A): every second row and column, and zeros for the
 * channels that are more, before and behind those that there are or behind alone.
 *
 * @param x `[batch, height, width, channels]`
 */
export function paddedShortcut(ops: Ops, x: Tensor, { inputs, outputs, stride, shortcut }: Block): Tensor {
  const fewer = stride === 1 ? x : ops.maxPool2d(x, { size: 1, stride });
  const [batch, height, width] = fewer.shape;
  const missing = outputs - inputs;
  const before = shortcut === "padded" ? Math.floor(missing / 2) : 0;
  const zeros = (channels: number) => channels === 0 ? [] : [ops.full([batch, height, width, channels], 0)];
  return ops.concat([...zeros(before), fewer, ...zeros(missing - before)], { axis: 3 });
}
