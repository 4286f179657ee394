import assert from "node:assert/strict";
import { amountAt, amountOf, type TracedSizes } from "../../../core/onnx/amounts.ts";

const sizes: readonly TracedSizes[] = [
  { batch: 3, length: 13 },
  { batch: 5, length: 13 },
  { batch: 3, length: 11 },
  { batch: 7, length: 10 },
];
const found = (of: (size: TracedSizes) => number) => amountOf(sizes.map(of), sizes);

Deno.test("numbers that follow the sizes of a batch are told by four batches", () => {
  const other: TracedSizes = { batch: 4, length: 9 };
  const right: ((size: TracedSizes) => number)[] = [
    () => 13,
    ({ batch }) => batch,
    ({ length }) => length,
    ({ batch, length }) => 6 * batch * length,
    ({ length }) => length + 2,
    ({ length }) => 100 - 3 * length,
    () => 0,
  ];
  for (const of of right) assert.equal(amountAt(found(of)!, other), of(other), `${of}`);
});

Deno.test("numbers that follow them in another way are not guessed", () => {
  const wrong: ((size: TracedSizes) => number)[] = [
    ({ length }) => Math.ceil(length / 2),
    ({ batch }) => batch + 1,
    ({ batch }) => 1 / batch,
    ({ batch, length }) => batch + length,
    ({ length }) => Math.sqrt(length),
    ({ batch }) => batch > 4 ? 2 : 1,
    ({ batch, length }) => batch === 7 ? 100 : length,
  ];
  for (const of of wrong) assert.equal(found(of), null, `${of}`);
});
