// The gradient of a convolution with respect to its input.

import { borderedSize, classFirst, classSize, classTables, classTaps } from "./conv_classes";
import { copyImages, fillUpTable, groupSize, outputSize, tableBytes } from "./images";
import { packColumns, packedWidth, PANEL_ROW } from "./pack";
import { tile, TILE_COLUMNS, TILE_ROWS, TILE_SUMS } from "./tile";
import { correlate, suitsWinograd, winogradScratch } from "./winograd";

/** Bytes of scratch memory that `convInputGradient` needs. */
export function convInputGradientScratch(
  height: i32, width: i32, inputs: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, stride: i32, padding: i32,
): usize {
  if (suitsWinograd(inputs, outputs, kernelHeight, kernelWidth, stride, padding)) {
    return winogradScratch(width, outputs, inputs);
  }
  const rows = borderedSize(height, outputSize(height, kernelHeight, stride, padding), kernelHeight, stride, padding);
  const columns = borderedSize(width, outputSize(width, kernelWidth, stride, padding), kernelWidth, stride, padding);
  const borderedBytes = (<usize> rows * columns * outputs) << 2, group = groupSize(borderedBytes);
  const depth = kernelHeight * kernelWidth * outputs;
  return TILE_SUMS + 2 * classTables(group, height, width, stride, padding) +
    ((<usize> depth * packedWidth(inputs)) << 2) + <usize> group * borderedBytes;
}

/**
 * dx = gradient of the loss with respect to x, given dy, for the images from `imageBegin` to `imageEnd`.
 *
 * @param dy [images, outputHeight, outputWidth, outputs]
 * @param filter [kernelHeight, kernelWidth, inputs, outputs], as in `convForward`
 * @param dx [images, height, width, inputs]; every element is written
 */
export function convInputGradient(
  dy: usize, filter: usize, dx: usize,
  height: i32, width: i32, inputs: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, stride: i32, padding: i32,
  scratch: usize, imageBegin: i32, imageEnd: i32,
): void {
  if (imageBegin >= imageEnd) return;
  const outHeight = outputSize(height, kernelHeight, stride, padding);
  const outWidth = outputSize(width, kernelWidth, stride, padding);
  if (suitsWinograd(inputs, outputs, kernelHeight, kernelWidth, stride, padding)) {
    correlate(
      dy, filter, dx, 0, 0, 0, 0, outHeight, outWidth, outputs, inputs, height, width, 2 - padding, true,
      scratch, imageBegin, imageEnd,
    );
    return;
  }
  const pixelBytes: usize = <usize> inputs << 2, dyPixelBytes: usize = <usize> outputs << 2;
  const dyRow = <usize> outWidth * dyPixelBytes, dyBytes = <usize> outHeight * dyRow;
  const before = classTaps(kernelHeight, 0, stride) - 1, left = classTaps(kernelWidth, 0, stride) - 1;
  const rowStep = <usize> borderedSize(width, outWidth, kernelWidth, stride, padding) * dyPixelBytes;
  const borderedBytes = <usize> borderedSize(height, outHeight, kernelHeight, stride, padding) * rowStep;
  const group = groupSize(borderedBytes), bordersNeeded = rowStep != dyRow || borderedBytes != dyBytes;

  const tables = classTables(group, height, width, stride, padding);
  const sums = scratch, dyTables = sums + TILE_SUMS, dxTables = dyTables + tables, panels = dxTables + tables;
  const bordered = panels + (<usize> (kernelHeight * kernelWidth * outputs) * packedWidth(inputs) << 2);
  packClasses(filter, panels, inputs, outputs, kernelHeight, kernelWidth, stride);
  if (bordersNeeded) memory.fill(bordered, 0, <usize> min(group, imageEnd - imageBegin) * borderedBytes);

  let tableImages = 0;
  for (let image = imageBegin; image < imageEnd; image += group) {
    const count = min(group, imageEnd - image), refill = count != tableImages;
    tableImages = count;
    let base = dy + <usize> image * dyBytes;
    if (bordersNeeded) {
      const inside = bordered + <usize> before * rowStep + <usize> left * dyPixelBytes;
      copyImages(base, count, outHeight, dyRow, inside, rowStep, borderedBytes);
      base = bordered;
    }
    const out = dx + <usize> image * height * width * pixelBytes;
    let dyTable = dyTables, dxTable = dxTables, panel = panels;
    for (let r = 0; r < stride; ++r) {
      const tapRows = classTaps(kernelHeight, r, stride), classRows = classSize(height, r, stride, padding);
      for (let s = 0; s < stride; ++s) {
        const tapColumns = classTaps(kernelWidth, s, stride), classColumns = classSize(width, s, stride, padding);
        const rows = count * classRows * classColumns;
        if (refill && rows > 0) {
          const firstRow = classFirst(r, stride, padding), firstColumn = classFirst(s, stride, padding);
          // From the last tap's row of dy for the class's first position.
          const dyOffset = <usize> ((firstRow + padding) / stride - tapRows + 1 + before) * rowStep +
            <usize> ((firstColumn + padding) / stride - tapColumns + 1 + left) * dyPixelBytes;
          const dxOffset = <usize> (firstRow * width + firstColumn) * pixelBytes;
          fillTable(dyTable, dyOffset, count, classRows, classColumns, borderedBytes, rowStep, dyPixelBytes);
          fillTable(
            dxTable, dxOffset, count, classRows, classColumns,
            <usize> height * width * pixelBytes, <usize> (stride * width) * pixelBytes, <usize> stride * pixelBytes,
          );
        }
        const panelStep = <usize> (tapRows * tapColumns * outputs) * PANEL_ROW;
        const skip = rowStep - <usize> tapColumns * dyPixelBytes;
        for (let column = 0; column < inputs; column += TILE_COLUMNS, panel += panelStep) {
          for (let row = 0; row < rows; row += TILE_ROWS) {
            const entry: usize = <usize> row << 2;
            tile(
              base, dyTable + entry, tapRows, tapColumns * outputs, 4, skip, panel, PANEL_ROW,
              out + (<usize> column << 2), dxTable + entry,
              min(rows - row, TILE_ROWS), min(inputs - column, TILE_COLUMNS), false, sums,
            );
          }
        }
        dyTable += tableBytes(rows);
        dxTable += tableBytes(rows);
      }
    }
  }
}

/** Packs the filter class by class: rows are (tap row, tap column, output), last taps first; columns are inputs. */
function packClasses(
  filter: usize, panels: usize, inputs: i32, outputs: i32, kernelHeight: i32, kernelWidth: i32, stride: i32,
): void {
  const tapBytes = <usize> inputs * outputs << 2;
  for (let r = 0; r < stride; ++r) {
    const tapRows = classTaps(kernelHeight, r, stride);
    for (let s = 0; s < stride; ++s) {
      const tapColumns = classTaps(kernelWidth, s, stride);
      const panelStep = <usize> (tapRows * tapColumns * outputs) * PANEL_ROW;
      let to = panels;
      for (let t = tapRows - 1; t >= 0; --t) {
        for (let u = tapColumns - 1; u >= 0; --u, to += <usize> outputs * PANEL_ROW) {
          const tap = filter + <usize> ((r + t * stride) * kernelWidth + s + u * stride) * tapBytes;
          packColumns(tap, 4, <usize> outputs << 2, outputs, inputs, to, panelStep);
        }
      }
      panels += panelStep * (packedWidth(inputs) / TILE_COLUMNS);
    }
  }
}

/** Writes the offsets of a grid of positions, image by image and row by row. */
function fillTable(
  table: usize, offset: usize, count: i32, rows: i32, columns: i32, imageStep: usize, rowStep: usize, columnStep: usize,
): void {
  let entry = table;
  for (let image = 0; image < count; ++image, offset += imageStep) {
    for (let row = 0; row < rows; ++row) {
      let position = offset + <usize> row * rowStep;
      for (let column = 0; column < columns; ++column, entry += 4, position += columnStep) {
        store<u32>(entry, <u32> position);
      }
    }
  }
  fillUpTable(table, count * rows * columns);
}
