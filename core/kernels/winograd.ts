import filterGradientPlaces from "../../shaders/winograd_filter_gradient.wgsl" with { type: "text" };
import filterPlaces from "../../shaders/winograd_filter.wgsl" with { type: "text" };
import imagePlaces from "../../shaders/winograd_images.wgsl" with { type: "text" };
import tilePlaces from "../../shaders/winograd_tiles.wgsl" with { type: "text" };
import { defineKernel } from "./kernel.ts";
import { linear } from "./launch.ts";
import { matrices, type Matrix, multiplySquare, RESULT, squareShader } from "./winograd_matrices.ts";

const resultShader = squareShader(matrices.result, imagePlaces);
const filterShader = squareShader(matrices.filter, filterPlaces);
const filterGradientShader = squareShader(matrices.filterGradient, filterGradientPlaces);

const grid = {
  images: "u32",
  height: "u32",
  width: "u32",
  channels: "u32",
  tilesDown: "u32",
  tilesAcross: "u32",
} as const;

/** Images of `height` x `width` x `channels`, cut into `tilesDown` x `tilesAcross` tiles of 4 x 4 pixels. */
export type TileGrid = Readonly<Record<keyof typeof grid, number>>;

/**
 * Calls `visit` for every tile and channel: the image's first number of the channel, and the tile's first row and
 * column.
 */
function walk(p: TileGrid, visit: (square: number, first: number, top: number, left: number) => void): void {
  const { images, height, width, channels, tilesDown, tilesAcross } = p;
  for (let tile = 0; tile < images * tilesDown * tilesAcross; tile++) {
    const image = Math.floor(tile / (tilesDown * tilesAcross));
    const [row, column] = [Math.floor(tile / tilesAcross) % tilesDown, tile % tilesAcross];
    for (let c = 0; c < channels; c++) {
      const first = image * height * width * channels + c;
      visit(tile * channels + c, first, row * RESULT, column * RESULT);
    }
  }
}

const squaresIn = (p: TileGrid) => p.images * p.tilesDown * p.tilesAcross * p.channels;

/** Squares of images `source`, `padding` pixels before their tile on, to `squares [36, tiles, channels]`. */
function tilesKernel(name: string, matrix: Matrix) {
  const shader = squareShader(matrix, tilePlaces);
  return defineKernel({
    name,
    reads: { source: "f32" },
    writes: { squares: "f32" },
    parameters: { ...grid, padding: "u32" },
    launch: (p, adapter) => ({ shader, workgroups: linear(squaresIn(p), adapter) }),
    cpu: ({ source, squares }, p) => {
      const count = squaresIn(p);
      walk(p, (square, first, top, left) => {
        const pixel = (i: number, j: number) => {
          const [y, x] = [top + i - p.padding, left + j - p.padding];
          const inside = y >= 0 && x >= 0 && y < p.height && x < p.width;
          return inside ? source[first + (y * p.width + x) * p.channels] : 0;
        };
        multiplySquare(matrix, pixel, (i, j, value) => squares[(i * matrix.length + j) * count + square] = value);
      });
    },
  });
}

/** Squares of 6 x 6 pixels, what a tile of the result sees. */
export const winogradPixelsKernel = tilesKernel("winograd pixels", matrices.pixels);

/** Squares of 4 x 4 pixels of the result's gradient, in the place of a filter. */
export const winogradGradientKernel = tilesKernel("winograd gradient", matrices.gradient);

/** `squares [36, tiles, channels]` to tiles of images. */
export const winogradResultKernel = defineKernel({
  name: "winograd result",
  reads: { squares: "f32" },
  writes: { images: "f32" },
  parameters: grid,
  launch: (p, adapter) => ({ shader: resultShader, workgroups: linear(squaresIn(p), adapter) }),
  cpu: ({ squares, images }, p) => {
    const count = squaresIn(p);
    const side = matrices.result[0].length;
    walk(p, (square, first, top, left) => {
      const put = (i: number, j: number, value: number) => {
        const [y, x] = [top + i, left + j];
        if (y < p.height && x < p.width) images[first + (y * p.width + x) * p.channels] = value;
      };
      multiplySquare(matrices.result, (i, j) => squares[(i * side + j) * count + square], put);
    });
  },
});
/** Filters `stored [out, in, 3, 3]` to `squares [36, in, out]`, or turned by half a circle to `[36, out, in]`. */
export const winogradFilterKernel = defineKernel({
  name: "winograd filter",
  reads: { stored: "f32" },
  writes: { squares: "f32" },
  parameters: { inputs: "u32", outputs: "u32", turned: "u32" },
  launch: (p, adapter) => ({
    shader: filterShader,
    workgroups: linear(p.inputs * p.outputs, adapter),
  }),
  cpu: ({ stored, squares }, { inputs, outputs, turned }) => {
    for (let square = 0; square < inputs * outputs; square++) {
      const filter = turned === 1 ? square : square % outputs * inputs + Math.floor(square / outputs);
      const tap = (i: number, j: number) => stored[filter * 9 + (turned === 1 ? 8 - i * 3 - j : i * 3 + j)];
      const side = matrices.filter.length;
      const put = (i: number, j: number, value: number) => squares[(i * side + j) * inputs * outputs + square] = value;
      multiplySquare(matrices.filter, tap, put);
    }
  },
});

/** `squares [36, in, out]` to the gradient of filters, `[out, in, 3, 3]`. */
export const winogradFilterGradientKernel = defineKernel({
  name: "winograd filter gradient",
  reads: { squares: "f32" },
  writes: { gradient: "f32" },
  parameters: { inputs: "u32", outputs: "u32" },
  launch: (p, adapter) => ({
    shader: filterGradientShader,
    workgroups: linear(p.inputs * p.outputs, adapter),
  }),
  cpu: ({ squares, gradient }, { inputs, outputs }) => {
    const side = matrices.filterGradient[0].length;
    for (let square = 0; square < inputs * outputs; square++) {
      const filter = square % outputs * inputs + Math.floor(square / outputs);
      const product = (i: number, j: number) => squares[(i * side + j) * inputs * outputs + square];
      multiplySquare(matrices.filterGradient, product, (i, j, value) => gradient[filter * 9 + i * 3 + j] = value);
    }
  },
});
