// Convolution of channels-last images, as a matrix product whose left matrix is never written down.

import { channelAffine } from "./channel_affine";
import {
  fillUpTable, groupSize, outputPixels, outputSize, paddedBytes, paddedGroupBytes, paddedImages, tableBytes,
} from "./images";
import { packColumns, packedWidth, PANEL_ROW } from "./pack";
import { tile, TILE_COLUMNS, TILE_ROWS, TILE_SUMS } from "./tile";
import { correlate, suitsWinograd, winogradScratch } from "./winograd";

/** Bytes of scratch memory that `convForward` needs. */
export function convForwardScratch(
  height: i32, width: i32, inputs: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, stride: i32, padding: i32,
): usize {
  if (suitsWinograd(inputs, outputs, kernelHeight, kernelWidth, stride, padding)) {
    return winogradScratch(outputSize(width, kernelWidth, stride, padding), inputs, outputs);
  }
  const imageBytes = paddedBytes(height, width, <usize> inputs << 2, padding), group = groupSize(imageBytes);
  const pixels = outputPixels(height, width, kernelHeight, kernelWidth, stride, padding);
  const depth = kernelHeight * kernelWidth * inputs;
  return TILE_SUMS + 2 * tableBytes(group * pixels) + ((<usize> depth * packedWidth(outputs)) << 2) +
    paddedGroupBytes(imageBytes, padding);
}

/**
 * y = convolution of x with the filter, for the images from `imageBegin` to `imageEnd`; unless `scale` is 0, what
 * `channelAffine` makes of it by the other numbers, while it is still in cache.
 *
 * @param x [images, height, width, inputs]
 * @param filter [kernelHeight, kernelWidth, inputs, outputs]
 * @param y [images, outputHeight, outputWidth, outputs]
 * @param added as y, or 0
 */
export function convForward(
  x: usize, filter: usize, y: usize, scale: usize, shift: usize, added: usize, activation: i32,
  height: i32, width: i32, inputs: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, stride: i32, padding: i32,
  scratch: usize, imageBegin: i32, imageEnd: i32,
): void {
  const outHeight = outputSize(height, kernelHeight, stride, padding);
  const outWidth = outputSize(width, kernelWidth, stride, padding), pixels = outHeight * outWidth;
  if (imageBegin >= imageEnd || pixels == 0) return;
  if (suitsWinograd(inputs, outputs, kernelHeight, kernelWidth, stride, padding)) {
    correlate(
      x, filter, y, scale, shift, added, activation,
      height, width, inputs, outputs, outHeight, outWidth, padding, false, scratch, imageBegin, imageEnd,
    );
    return;
  }
  const pixelBytes: usize = <usize> inputs << 2, outPixelBytes: usize = <usize> outputs << 2;
  const paddedRow = <usize> (width + 2 * padding) * pixelBytes;
  const imageBytes = paddedBytes(height, width, pixelBytes, padding), group = groupSize(imageBytes);

  const sums = scratch, xTable = sums + TILE_SUMS, yTable = xTable + tableBytes(group * pixels);
  const panels = yTable + tableBytes(group * pixels);
  const depth = kernelHeight * kernelWidth * inputs, panelStep = <usize> depth * PANEL_ROW;
  packColumns(filter, outPixelBytes, 4, depth, outputs, panels, panelStep);
  const padded = panels + <usize> packedWidth(outputs) / TILE_COLUMNS * panelStep;
  if (padding > 0) memory.fill(padded, 0, <usize> min(group, imageEnd - imageBegin) * imageBytes);
  const skip = paddedRow - <usize> kernelWidth * pixelBytes;

  let tableImages = 0;
  for (let image = imageBegin; image < imageEnd; image += group) {
    const count = min(group, imageEnd - image), rows = count * pixels;
    if (count != tableImages) {
      tableImages = count;
      fillTables(
        xTable, yTable, count, outHeight, outWidth,
        imageBytes, paddedRow * stride, pixelBytes * stride, outPixelBytes,
      );
    }
    const own = x + <usize> image * (height * width) * pixelBytes;
    const base = paddedImages(own, count, height, width, pixelBytes, padding, padded);
    let panel = panels, out = y + <usize> image * pixels * outPixelBytes;
    for (let left = outputs; left > 0; left -= TILE_COLUMNS, panel += panelStep, out += PANEL_ROW) {
      for (let row = 0; row < rows; row += TILE_ROWS) {
        const entry: usize = <usize> row << 2;
        tile(
          base, xTable + entry, kernelHeight, kernelWidth * inputs, 4, skip, panel, PANEL_ROW,
          out, yTable + entry, min(rows - row, TILE_ROWS), min(left, TILE_COLUMNS), false, sums,
        );
      }
    }
    if (scale) {
      const first = image * pixels;
      channelAffine(y, scale, shift, added, y, outputs, activation, first, first + rows);
    }
  }
}

/** Tables of where each output pixel's patch begins in a group of padded images, and where the pixel itself goes. */
function fillTables(
  xTable: usize, yTable: usize, count: i32, outHeight: i32, outWidth: i32,
  imageStep: usize, rowStep: usize, columnStep: usize, outPixelBytes: usize,
): void {
  let entry: usize = 0, out: usize = 0;
  for (let image = 0; image < count; ++image) {
    for (let row = 0; row < outHeight; ++row) {
      let offset = <usize> image * imageStep + <usize> row * rowStep;
      for (let column = 0; column < outWidth; ++column, entry += 4) {
        store<u32>(xTable + entry, <u32> offset);
        store<u32>(yTable + entry, <u32> out);
        offset += columnStep;
        out += outPixelBytes;
      }
    }
  }
  fillUpTable(xTable, <i32> (entry >> 2));
  fillUpTable(yTable, <i32> (entry >> 2));
}
