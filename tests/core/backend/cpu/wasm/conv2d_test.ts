import assert from "node:assert/strict";
import {
  type CompiledKernels,
  convOutputSize,
  type ConvShape,
  createMemory,
  loadKernels,
} from "../../../../../core/backend/cpu/wasm/load.ts";
import { Arena, assertClose, BINARIES, random, type Reference, type Region } from "./arena.ts";

type Direction = "forward" | "inputGradient" | "filterGradient";
const DIRECTIONS: Direction[] = ["forward", "inputGradient", "filterGradient"];

// [images, height, width, inputs, outputs, kernelHeight, kernelWidth, stride, padding]
const CASES: [number, number, number, number, number, number, number, number, number][] = [
  [1, 1, 1, 1, 1, 1, 1, 1, 0],
  [2, 7, 7, 8, 8, 3, 3, 1, 1],
  [3, 7, 7, 16, 32, 3, 3, 2, 1],
  [13, 8, 8, 8, 16, 1, 1, 2, 0],
  [2, 9, 6, 5, 3, 3, 3, 1, 1],
  [2, 10, 7, 3, 5, 3, 3, 2, 1],
  [1, 12, 13, 1, 8, 7, 7, 2, 3],
  [2, 5, 6, 3, 9, 5, 5, 1, 2],
  [2, 6, 5, 17, 7, 1, 1, 1, 0],
  [1, 8, 9, 4, 5, 2, 3, 3, 1], // kernel smaller than the stride: some input pixels take part in nothing
  [1, 6, 6, 2, 3, 2, 2, 3, 0],
  [2, 5, 5, 3, 4, 3, 3, 1, 0],
  [1, 4, 4, 3, 2, 1, 1, 1, 2], // padding larger than the kernel
  [1, 3, 3, 2, 2, 3, 1, 2, 4],
  [1, 5, 4, 2, 3, 3, 3, 4, 3],
  [40, 4, 4, 2, 8, 3, 3, 1, 1], // several images in a group, and a smaller last group
  [43, 7, 7, 6, 8, 1, 1, 1, 0], // the same where images are read in place
  [50, 6, 6, 8, 8, 3, 3, 2, 1], // and with a stride
  [3, 40, 30, 9, 8, 3, 3, 1, 1], // an image larger than a group
  // Winograd's algorithm: whole tiles and parts of them, each padding that it takes, several groups of tiles.
  [2, 8, 12, 16, 16, 3, 3, 1, 1],
  [3, 7, 9, 16, 24, 3, 3, 1, 0],
  [3, 5, 6, 24, 16, 3, 3, 1, 2],
  [4, 2, 3, 16, 16, 3, 3, 1, 1],
  [3, 21, 18, 16, 16, 3, 3, 1, 1],
];

/** A case with its random tensors, and what each direction should give over all images. */
function prepare(entry: typeof CASES[number]) {
  const [images, height, width, inputs, outputs, kernelHeight, kernelWidth, stride, padding] = entry;
  const shape: ConvShape = { height, width, inputs, outputs, kernelHeight, kernelWidth, stride, padding };
  const outHeight = convOutputSize(height, kernelHeight, stride, padding);
  const outWidth = convOutputSize(width, kernelWidth, stride, padding);
  const x = random(images * height * width * inputs, 1);
  const filter = random(kernelHeight * kernelWidth * inputs * outputs, 2);
  const y = random(images * outHeight * outWidth * outputs, 3); // serves as dy, too
  return { label: JSON.stringify(entry), images, shape, outHeight, outWidth, x, filter, y };
}
type Prepared = ReturnType<typeof prepare>;

/** Convolution by its definition: every product of an input element and a filter element, one by one. */
function references({ images, shape, outHeight, outWidth, x, filter, y }: Prepared): Record<Direction, Reference> {
  const { height, width, inputs, outputs, kernelHeight, kernelWidth, stride, padding } = shape;
  const reference = (length: number) => ({ sum: new Float64Array(length), magnitude: new Float64Array(length) });
  const result = {
    forward: reference(y.length),
    inputGradient: reference(x.length),
    filterGradient: reference(filter.length),
  };
  const add = (direction: Direction, index: number, term: number) => {
    result[direction].sum[index] += term;
    result[direction].magnitude[index] += Math.abs(term);
  };
  for (let position = 0; position < images * outHeight * outWidth; position++) {
    const column = position % outWidth, row = Math.floor(position / outWidth) % outHeight;
    const image = Math.floor(position / (outWidth * outHeight));
    for (let tap = 0; tap < kernelHeight * kernelWidth; tap++) {
      const i = row * stride + Math.floor(tap / kernelWidth) - padding,
        j = column * stride + tap % kernelWidth - padding;
      if (i < 0 || i >= height || j < 0 || j >= width) continue;
      for (let input = 0; input < inputs; input++) {
        const xIndex = ((image * height + i) * width + j) * inputs + input;
        for (let output = 0; output < outputs; output++) {
          const yIndex = position * outputs + output, filterIndex = (tap * inputs + input) * outputs + output;
          add("forward", yIndex, x[xIndex] * filter[filterIndex]);
          add("inputGradient", xIndex, y[yIndex] * filter[filterIndex]);
          add("filterGradient", filterIndex, x[xIndex] * y[yIndex]);
        }
      }
    }
  }
  return result;
}

/**
 * Runs one direction over the given image ranges; the filter gradient starts from zeros, the others from NaN.
 *
 * @param flush which of the two tensors that are read lies at the very end of the memory
 */
function run(
  direction: Direction,
  { shape, images, x, filter, y }: Prepared,
  compiled: CompiledKernels,
  ranges: [number, number][] = [[0, images]],
  flush: 0 | 1 = 0,
): Float32Array {
  const memory = createMemory((x.length + filter.length + y.length) * 4 + 2_000_000);
  const arena = new Arena(loadKernels(memory, compiled));
  const read = { forward: [x, filter], inputGradient: [y, filter], filterGradient: [x, y] }[direction];
  const written = { forward: y, inputGradient: x, filterGradient: filter }[direction];
  const operands: Region[] = [];
  for (const index of [flush, 1 - flush]) operands[index] = arena.take(read[index].length, read[index]);
  const out = arena.take(written.length), scratch = arena.take(arena.kernels.convScratch(shape) / 4);

  if (direction === "filterGradient") out.values.fill(0);
  const kernel =
    ({ forward: "convForward", inputGradient: "convInputGradient", filterGradient: "convFilterGradient" } as const)[
      direction
    ];
  for (const [begin, end] of ranges) {
    arena.kernels[kernel](shape, operands[0].pointer, operands[1].pointer, out.pointer, scratch.pointer, begin, end);
  }
  arena.assertUntouched();
  return out.values;
}

const prepared = CASES.map(prepare).map((entry) => ({ entry, expected: references(entry) }));

for (const [name, compiled] of BINARIES) {
  for (const direction of DIRECTIONS) {
    Deno.test(`convolution ${direction} (${name}) agrees with its definition in float64`, () => {
      for (const { entry, expected } of prepared) {
        const { kernelHeight, kernelWidth, inputs, outputs } = entry.shape;
        const terms = {
          forward: kernelHeight * kernelWidth * inputs,
          inputGradient: kernelHeight * kernelWidth * outputs,
          // The least that Winograd's algorithm is off by does not shrink with the number of pixels.
          filterGradient: Math.max(entry.images * entry.outHeight * entry.outWidth, 64),
        };
        for (const flush of [0, 1] as const) {
          const actual = run(direction, entry, compiled, undefined, flush);
          assertClose(actual, expected[direction], terms[direction], entry.label);
        }
      }
    });
  }

  Deno.test(`convolution (${name}) gives the same bits however its images are shared out`, () => {
    for (const entry of CASES.filter(([images]) => images > 2).map(prepare)) {
      const ranges: [number, number][] = [[2, entry.images], [0, 1], [1, 1], [1, 2]];
      for (const direction of ["forward", "inputGradient"] as const) {
        assert.deepEqual(run(direction, entry, compiled, ranges), run(direction, entry, compiled), entry.label);
      }
    }
  });

  Deno.test(`the filter gradients (${name}) of ranges add up to that of all images`, () => {
    for (const { entry, expected } of prepared.filter(({ entry }) => entry.images > 2)) {
      const sum = run("filterGradient", entry, compiled, [[2, entry.images], [0, 1], [1, 1], [1, 2]]);
      const terms = entry.images * entry.outHeight * entry.outWidth;
      assertClose(sum, expected.filterGradient, terms, entry.label);
    }
  });

  Deno.test(`convolution (${name}) writes only the images of its range`, () => {
    const entry = prepare(CASES[1]);
    const y = run("forward", entry, compiled, [[1, 2]]), dx = run("inputGradient", entry, compiled, [[1, 2]]);
    assert(y.subarray(0, y.length / 2).every(Number.isNaN) && !y.subarray(y.length / 2).some(Number.isNaN));
    assert(dx.subarray(0, dx.length / 2).every(Number.isNaN) && !dx.subarray(dx.length / 2).some(Number.isNaN));
  });
}

Deno.test("a kernel that does not fit the padded image has no output and no gradient", () => {
  const entry = prepare([2, 2, 2, 3, 8, 4, 4, 1, 0]);
  assert.equal(entry.y.length, 0);
  assert.equal(run("forward", entry, BINARIES[0][1]).length, 0);
  assert.deepEqual(run("inputGradient", entry, BINARIES[0][1]), new Float32Array(entry.x.length));
  assert.deepEqual(run("filterGradient", entry, BINARIES[0][1]), new Float32Array(entry.filter.length));
});
