import { zlibSync } from "fflate";
import { toBase64 } from "../../core/byte_texts.ts";
import { crc32 } from "../../core/crc32.ts";

/** Pixels of a picture: `[height, width, channels]`, row-major, 8 bits each. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A picture as a PNG file: grey of one channel, colours of three. */
export function encodePng({ height, width, channels, pixels }: Pixels): Uint8Array<ArrayBuffer> {
  const row = width * channels;
  const rows = new Uint8Array(height * (1 + row)); // each begins with a 0: it is not filtered
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * row, (y + 1) * row), y * (1 + row) + 1);
  const head = [...bigEndian(width), ...bigEndian(height), 8, channels === 1 ? 0 : 2, 0, 0, 0];
  return Uint8Array.from([
    ...SIGNATURE,
    ...chunk("IHDR", head),
    ...chunk("IDAT", zlibSync(rows, { level: 9 })),
    ...chunk("IEND", []),
  ]);
}

/** A picture as an address that holds it. */
export function pictureAddress(picture: Pixels): string {
  return `data:image/png;base64,${toBase64(encodePng(picture))}`;
}

const bigEndian = (number: number) => [24, 16, 8, 0].map((bits) => number >>> bits & 255);

function chunk(type: string, data: ArrayLike<number>): number[] {
  const named = [...Array.from(type, (letter) => letter.charCodeAt(0)), ...Array.from(data)];
  return [...bigEndian(data.length), ...named, ...bigEndian(crc32(named))];
}
