import { fromBase64 } from "../../core/byte_texts.ts";
import type { ShownPictures } from "../../core/assess/shown.ts";
import { resizePicture } from "../../core/data/resize.ts";
import type { Pixels } from "../report/png.ts";
import type { AssessReport } from "./report.ts";

/** The folder of the pictures, beside `assess.md`. */
const FOLDER = "assess-pictures";

/** The least pixels of a side, and those between two pictures. */
const SIDE = 112, GAP = 4;

/** The pictures of a report as files: the path from its folder, and the picture of each part that has some. */
export function pictureFiles({ sections }: Pick<AssessReport, "sections">): Map<ShownPictures, string> {
  return new Map(
    sections.flatMap(({ name, shown }) =>
      shown.filter((part) => part.kind === "pictures").map((part, index) =>
        [part, `${FOLDER}/${name}-${index + 1}.png`] as const
      )
    ),
  );
}

/** Pictures beside each other as one, in the rows and columns in which they are shown. */
export function sheetOf({ pictures, columns = pictures.length }: Pick<ShownPictures, "pictures" | "columns">): Pixels {
  const cells = pictures.map(({ height, width, channels, pixels }) => {
    const times = Math.max(1, Math.ceil(SIDE / Math.max(height, width)));
    const picture = { height, width, channels, pixels: fromBase64(pixels) };
    return resizePicture(picture, height * times, width * times, "nearest");
  });
  const [high, wide] = [Math.max(...cells.map(({ height }) => height)), Math.max(...cells.map(({ width }) => width))];
  const [height, width] = [Math.ceil(cells.length / columns) * (high + GAP) - GAP, columns * (wide + GAP) - GAP];
  const sheet = new Uint8Array(height * width * 3).fill(255);
  cells.forEach(({ height: rows, width: own, channels, pixels }, cell) => {
    const [top, left] = [Math.floor(cell / columns) * (high + GAP), cell % columns * (wide + GAP)];
    for (let place = 0; place < rows * own; place++) {
      const at = (top + Math.floor(place / own)) * width + left + place % own;
      for (let channel = 0; channel < 3; channel++) {
        sheet[3 * at + channel] = pixels[place * channels + (channels === 3 ? channel : 0)];
      }
    }
  });
  return { height, width, channels: 3, pixels: sheet };
}
