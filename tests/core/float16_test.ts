import assert from "node:assert/strict";
import { float16BitsOf, float16ToFloat32 } from "../../core/float16.ts";

Deno.test("halves are made of numbers, and numbers of halves, as the runtime does it", () => {
  const bits = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
  const halves = new Float16Array(bits.buffer);
  const numbers = float16ToFloat32(bits);
  halves.forEach((value, bits) => assert.ok(Object.is(numbers[bits], value), `${bits}`));
  assert.ok(Number.isNaN(float16ToFloat32(Uint16Array.of(float16BitsOf(NaN)))[0]));
  const drawn = Array.from({ length: 20_000 }, (_, place) => Math.sin(place) * 2 ** (place % 50 - 30));
  for (const value of [...halves, ...drawn, 65519, 65520, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25]) {
    if (Number.isNaN(value)) continue;
    assert.equal(float16BitsOf(value), new Uint16Array(Float16Array.of(value).buffer)[0], `${value}`);
  }
});
