import type { Floats } from "../../backend/backend.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Tensor } from "../../tensor.ts";
import { expect } from "./check.ts";

/** Numbers by the name of what they belong to. */
export type Named = ReadonlyMap<string, Floats>;

/** Reads named tensors in one wait; one that is not there stands for zeros. */
export async function readNamed(ops: Ops, tensors: ReadonlyMap<string, Tensor | null>): Promise<Map<string, Floats>> {
  const there = [...tensors].flatMap(([name, tensor]) => tensor ? [{ name, tensor }] : []);
  const numbers = await ops.read(there.map(({ tensor }) => tensor));
  return new Map(there.map(({ name }, index) => [name, numbers[index]]));
}

/**
 * Compares named numbers: each difference must be within the tolerance times the largest number of all of one side.
 *
 * @throws Error that names the first number that differs too much
 */
export function expectClose(actual: Named, expected: Named, tolerance: number, where: string): void {
  const largest = Math.max(1e-6, ...[...expected.values()].map((numbers) => largestOf(numbers)));
  for (const [name, numbers] of expected) {
    const others = actual.get(name) ?? new Float64Array(numbers.length);
    expect(others.length === numbers.length, `${name} has ${others.length} numbers ${where}, not ${numbers.length}`);
    numbers.forEach((number, index) =>
      // Written so that NaN fails.
      expect(
        Math.abs(others[index] - number) <= tolerance * largest,
        `${name}[${index}] is ${others[index].toPrecision(6)} ${where}, expected ${number.toPrecision(6)}`,
      )
    );
  }
}

/** Compares named numbers bit by bit. @throws Error that names the first that differs */
export function expectEqual(actual: Named, expected: Named, where: string): void {
  for (const [name, numbers] of expected) {
    const others = actual.get(name) ?? new Float64Array(numbers.length);
    const index = numbers.findIndex((number, place) => !Object.is(others[place], number));
    expect(index < 0, `${name}[${index}] is ${others[index]} ${where}, and was ${numbers[index]}`);
  }
}

/** @throws Error that names the first number that is not finite */
export function expectFinite(all: Named): void {
  for (const [name, numbers] of all) {
    const index = numbers.findIndex((number) => !Number.isFinite(number));
    expect(index < 0, `${name}[${index}] is ${numbers[index]}`);
  }
}

/** The largest absolute number. */
export function largestOf(numbers: Floats): number {
  let largest = 0;
  for (const number of numbers) largest = Math.max(largest, Math.abs(number));
  return largest;
}

/** Up to `count` places, spread over a list from its first to near its last. */
export function spread(length: number, count: number): number[] {
  const taken = Math.min(length, count);
  return Array.from({ length: taken }, (_, index) => Math.floor(index * length / taken));
}
