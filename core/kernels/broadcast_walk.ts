/**
 * The most runs of neighbouring dimensions, of which an operand goes through all alike or stays where it is, that
 * binary kernels walk: four indices in the shader and in the loop.
 */
export const MOST_RUNS = 4;

/** How two operands are walked: up to four merged dimensions, with each operand's stride along them. */
export type BroadcastParameter =
  | "size"
  | `extent${1 | 2 | 3}`
  | `${"a" | "b"}${0 | 1 | 2 | 3}`
  | "flat";

// deno-fmt-ignore
export const broadcastParameters = {
  size: "u32", extent1: "u32", extent2: "u32", extent3: "u32",
  a0: "u32", a1: "u32", a2: "u32", a3: "u32",
  b0: "u32", b1: "u32", b2: "u32", b3: "u32", flat: "u32",
} as const satisfies Record<BroadcastParameter, "u32">;
