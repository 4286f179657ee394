import { pseudoRandom } from "../../support/numbers.ts";
import type { Case } from "./case.ts";

/** Labels `[rows]` among so many classes, the last of them too. */
const labelsOf = (rows: number, classes: number) =>
  pseudoRandom(5, rows, 0, classes).map((x, row) => row === 0 ? classes - 1 : Math.floor(x));

const crossEntropy = (lead: readonly number[], classes: number, smoothing?: number): Case => ({
  inputs: [{ shape: [...lead, classes], low: -4, high: 4 }],
  call: (ops, [x]) => {
    const rows = lead.reduce((product, extent) => product * extent, 1);
    const labels = ops.tensor(labelsOf(rows, classes), lead);
    return ops.crossEntropy(x, labels, smoothing === undefined ? {} : { smoothing });
  },
});

const divergence = (name: "klDivergence" | "jensenShannonDivergence"): Case[] =>
  [{ shape: [4, 3] }, { shape: [2, 3, 33], factor: 0.25 }, { shape: [70, 2], factor: 2 }, { shape: [2, 1100] }, {
    shape: [5, 1],
  }, { shape: [7] }].map(({ shape, factor }): Case => ({
    inputs: [{ shape, low: -3, high: 3 }, { shape, low: -3, high: 3 }],
    call: (ops, [reference, logits]) => ops[name](reference, logits, factor),
  }));

/** Places that ascend, as many in each row, among so many columns; in the first row the first ones and the last. */
const placesOf = (rows: number, columns: number, count: number) =>
  Array.from({ length: rows }, (_, row) => {
    const order = Array.from(pseudoRandom(7 + row, columns), (value, column) => [value, column]).sort(([a], [b]) =>
      a - b
    );
    const drawn = order.slice(0, count).map(([, column]) => column).toSorted((a, b) => a - b);
    return row > 0 ? drawn : [...drawn.slice(0, -1).map((_, k) => k), columns - 1];
  }).flat();

const pickWithRest = (lead: readonly number[], columns: number, count: number, factor?: number): Case => ({
  inputs: [{ shape: [...lead, columns], low: -4, high: 4 }],
  call: (ops, [x]) => {
    const rows = lead.reduce((product, extent) => product * extent, 1);
    return ops.pickWithRest(x, ops.tensor(placesOf(rows, columns, count), [...lead, count]), factor);
  },
});

export const lossCases = {
  pickWithRest: [
    pickWithRest([4], 5, 2),
    pickWithRest([2, 3], 33, 7, 0.25),
    pickWithRest([70], 2, 1, 2),
    // One is left for the rest.
    pickWithRest([3], 9, 8),
    pickWithRest([2], 1100, 64, 0.5),
    pickWithRest([], 7, 3),
  ],
  crossEntropy: [
    crossEntropy([4], 3),
    crossEntropy([2, 3], 33, 0.1),
    crossEntropy([70], 2, 0.3),
    // Beyond the length from which a row has a larger workgroup.
    crossEntropy([2], 1100, 0.2),
    crossEntropy([], 7),
    crossEntropy([5], 1, 0.1),
  ],
  klDivergence: divergence("klDivergence"),
  jensenShannonDivergence: divergence("jensenShannonDivergence"),
};
