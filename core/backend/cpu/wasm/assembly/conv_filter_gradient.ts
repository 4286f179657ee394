// The gradient of a convolution with respect to its filter.

import {
  fillUpTable, groupSize, outputPixels, outputSize, paddedBytes, paddedGroupBytes, paddedImages, tableBytes,
} from "./images";
import { packColumns, packedWidth, PANEL_ROW } from "./pack";
import { tile, TILE_COLUMNS, TILE_ROWS, TILE_SUMS } from "./tile";
import { correlationGradient, suitsWinograd, winogradScratch } from "./winograd";

/** Bytes of scratch memory that `convFilterGradient` needs. */
export function convFilterGradientScratch(
  height: i32, width: i32, inputs: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, stride: i32, padding: i32,
): usize {
  if (suitsWinograd(inputs, outputs, kernelHeight, kernelWidth, stride, padding)) {
    return winogradScratch(outputSize(width, kernelWidth, stride, padding), inputs, outputs);
  }
  const imageBytes = paddedBytes(height, width, <usize> inputs << 2, padding), group = groupSize(imageBytes);
  const pixels = outputPixels(height, width, kernelHeight, kernelWidth, stride, padding);
  return TILE_SUMS + 2 * tableBytes(kernelHeight * kernelWidth * inputs) +
    (outputs % TILE_COLUMNS != 0 ? (<usize> (group * pixels) * packedWidth(outputs)) << 2 : 0) +
    paddedGroupBytes(imageBytes, padding);
}

/**
 * Adds to dfilter the gradient of the loss with respect to the filter, of the images from `imageBegin` to `imageEnd`.
 *
 * @param x [images, height, width, inputs]
 * @param dy [images, outputHeight, outputWidth, outputs]
 * @param dfilter [kernelHeight, kernelWidth, inputs, outputs]; threads that share the images give one each
 */
export function convFilterGradient(
  x: usize, dy: usize, dfilter: usize,
  height: i32, width: i32, inputs: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, stride: i32, padding: i32,
  scratch: usize, imageBegin: i32, imageEnd: i32,
): void {
  const outHeight = outputSize(height, kernelHeight, stride, padding);
  const outWidth = outputSize(width, kernelWidth, stride, padding), pixels = outHeight * outWidth;
  if (imageBegin >= imageEnd || pixels == 0) return;
  if (suitsWinograd(inputs, outputs, kernelHeight, kernelWidth, stride, padding)) {
    correlationGradient(
      x, dy, dfilter, height, width, inputs, outputs, outHeight, outWidth, padding, scratch, imageBegin, imageEnd,
    );
    return;
  }
  const pixelBytes: usize = <usize> inputs << 2, dyPixelBytes: usize = <usize> outputs << 2;
  const paddedRow = <usize> (width + 2 * padding) * pixelBytes;
  const imageBytes = paddedBytes(height, width, pixelBytes, padding), group = groupSize(imageBytes);
  const depth = kernelHeight * kernelWidth * inputs;

  const sums = scratch, xTable = sums + TILE_SUMS, filterTable = xTable + tableBytes(depth);
  const panels = filterTable + tableBytes(depth), panelStep = <usize> (group * pixels) * PANEL_ROW;
  // Tiles read whole vectors, so rows of dy which are not whole panels are packed with zeros.
  const pack = outputs % TILE_COLUMNS != 0;
  const padded = panels + (pack ? <usize> packedWidth(outputs) / TILE_COLUMNS * panelStep : 0);
  fillTables(xTable, filterTable, inputs, kernelHeight, kernelWidth, paddedRow, pixelBytes, dyPixelBytes);
  if (padding > 0) memory.fill(padded, 0, <usize> min(group, imageEnd - imageBegin) * imageBytes);
  const xStep = <usize> stride * pixelBytes, skip = <usize> stride * paddedRow - <usize> outWidth * xStep;

  for (let image = imageBegin; image < imageEnd; image += group) {
    const count = min(group, imageEnd - image);
    const own = x + <usize> image * (height * width) * pixelBytes;
    let base = paddedImages(own, count, height, width, pixelBytes, padding, padded);
    let right = dy + <usize> image * pixels * dyPixelBytes, rightStep = dyPixelBytes, rightPanel = PANEL_ROW;
    if (pack) {
      packColumns(right, dyPixelBytes, 4, count * pixels, outputs, panels, panelStep);
      right = panels; rightStep = PANEL_ROW; rightPanel = panelStep;
    }
    for (let i = 0; i < count; ++i, base += imageBytes, right += <usize> pixels * rightStep) {
      for (let row = 0; row < depth; row += TILE_ROWS) {
        const entry: usize = <usize> row << 2;
        let panel = right, out = dfilter;
        for (let left = outputs; left > 0; left -= TILE_COLUMNS, panel += rightPanel, out += PANEL_ROW) {
          tile(
            base, xTable + entry, outHeight, outWidth, xStep, skip, panel, rightStep,
            out, filterTable + entry, min(depth - row, TILE_ROWS), min(left, TILE_COLUMNS), true, sums,
          );
        }
      }
    }
  }
}

/** Tables of where each tap of the filter first reads in a padded image, and where its gradients go. */
function fillTables(
  xTable: usize, filterTable: usize, inputs: i32, kernelHeight: i32, kernelWidth: i32,
  paddedRow: usize, pixelBytes: usize, outBytes: usize,
): void {
  let entry: usize = 0, out: usize = 0;
  for (let row = 0; row < kernelHeight; ++row) {
    let offset = <usize> row * paddedRow;
    for (const end = offset + <usize> kernelWidth * pixelBytes; offset < end; offset += 4) {
      store<u32>(xTable + entry, <u32> offset);
      store<u32>(filterTable + entry, <u32> out);
      entry += 4;
      out += outBytes;
    }
  }
  fillUpTable(xTable, <i32> (entry >> 2));
  fillUpTable(filterTable, <i32> (entry >> 2));
}
