import type { Case } from "./case.ts";

const normalised = (shape: readonly number[], epsilon?: number): Case => {
  const width = shape.slice(-1);
  return {
    inputs: [{ shape, low: -2, high: 4 }, { shape: width, low: 0.5, high: 2 }, { shape: width }],
    call: (ops, [x, weight, bias]) => ops.layerNorm(x, weight, bias, epsilon === undefined ? {} : { epsilon }),
  };
};

const masked = (shape: readonly number[], mask: readonly number[]): Case => ({
  inputs: [{ shape, low: -4, high: 4 }],
  call: (ops, [x]) => ops.maskedSoftmax(x, ops.tensor(mask, [shape[0], shape.at(-1)!])),
});

const lookedUp = (table: readonly number[], indices: readonly number[], shape = [indices.length]): Case => ({
  inputs: [{ shape: table }],
  call: (ops, [x]) => ops.embedding(x, ops.tensor(indices, shape)),
});

/** A table that is held as several, of so many rows each. */
const lookedUpIn = (rows: readonly number[], width: number, indices: readonly number[]): Case => ({
  inputs: rows.map((count) => ({ shape: [count, width] })),
  call: (ops, tables) => ops.embedding(tables, ops.tensor(indices)),
});

const sliced = (shape: readonly number[], axis: number, begin: number, length: number): Case => ({
  inputs: [{ shape }],
  call: (ops, [x]) => ops.slice(x, { axis, begin, length }),
});

const joined = (axis: number, ...shapes: readonly (readonly number[])[]): Case => ({
  inputs: shapes.map((shape) => ({ shape })),
  call: (ops, tensors) => ops.concat(tensors, { axis }),
});

/** What transformers add: widths beside multiples of four, more rows than one chunk, repeated and missing indices. */
export const transformerCases = {
  layerNorm: [
    normalised([3, 5]),
    normalised([2, 3, 8], 1e-12),
    normalised([7, 1], 0.1),
    normalised([150, 6], 1e-12),
    normalised([2, 67], 1e-5),
  ],
  maskedSoftmax: [
    masked([2, 3, 4, 5], [1, 1, 1, 0, 0, 1, 0, 1, 1, 1]),
    masked([3, 4], [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0]),
    masked([1, 2, 71, 35], Array.from({ length: 35 }, (_, c) => c % 4 === 1 ? 0 : 1)),
  ],
  embedding: [
    lookedUp([5, 3], [4, 0, 4, 2]),
    lookedUp([7, 8], [1, 1, 1, 6, 0, 6], [2, 3]),
    lookedUp([4, 1], [3]),
    lookedUp([11, 5], Array.from({ length: 130 }, (_, i) => i * i % 9), [10, 13]),
    lookedUpIn([3, 3, 1], 5, [6, 2, 3, 3, 5, 0, 2, 3]),
    lookedUpIn([2, 4], 3, [5, 4, 5]),
  ],
  slice: [sliced([3, 5, 4], 1, 0, 1), sliced([7, 3], 0, 2, 4), sliced([2, 3, 5], 2, 1, 3), sliced([4], 0, 0, 4)],
  concat: [
    joined(1, [2, 1, 5], [2, 1, 5], [2, 7, 5]),
    joined(0, [3, 2], [1, 2]),
    joined(2, [4, 3, 1], [4, 3, 33], [4, 3, 2], [4, 3, 4]),
    joined(0, [5], [66]),
    joined(1, [2, 3]),
  ],
} satisfies Record<string, readonly Case[]>;
