import type { View } from "./backend.ts";

/**
 * How a number lies in memory. Kernels compute in float32 whatever it is: a binding of float16 is converted where it is
 * read and where it is written.
 */
export type NumberFormat = "f32" | "f16";

/** Bytes of one number. */
export const BYTES: Readonly<Record<NumberFormat, number>> = { f32: 4, f16: 2 };

/** The numbers of float32 whose memory holds so many of a format: what a storage is measured in. */
export function slotsOf(length: number, format: NumberFormat): number {
  return format === "f16" ? Math.ceil(length / 2) : length;
}

/** The bytes of a view's numbers. */
export function bytesOf({ length, format = "f32" }: View): number {
  return length * BYTES[format];
}

/** Where a view begins in its storage, in bytes. */
export function beginOf({ offset, format = "f32" }: View): number {
  return offset * BYTES[format];
}

const NONE: readonly string[] = [];

/** The names of those views whose numbers are float16; the same empty list where there are none. */
export function halvesOf(views: Readonly<Record<string, View>>): readonly string[] {
  let halves = NONE;
  for (const name in views) if (views[name].format === "f16") halves = [...halves, name];
  return halves;
}
