import assert from "node:assert/strict";
import { toBase64 } from "../../../core/byte_texts.ts";
import { heatOf } from "../../../core/assess/explain/heat.ts";
import { pictureFiles, sheetOf } from "../../../tasks/assess/picture_files.ts";

const picture = (caption: string, grey: number) => ({
  caption,
  height: 56,
  width: 112,
  channels: 1 as const,
  pixels: toBase64(new Uint8Array(56 * 112).fill(grey)),
});

Deno.test("pictures become one file, in their rows and columns, on white", () => {
  const pictures = [picture("a", 10), picture("b", 20), picture("c", 30)];
  const { height, width, channels, pixels } = sheetOf({ columns: 2, pictures });
  assert.deepEqual([height, width, channels], [2 * 56 + 4, 2 * 112 + 4, 3]);
  const at = (y: number, x: number) => [...pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  assert.deepEqual([at(0, 0), at(55, 116), at(60, 111)], [[10, 10, 10], [20, 20, 20], [30, 30, 30]]);
  assert.deepEqual([at(56, 0), at(0, 112), at(60, 116)], [[255, 255, 255], [255, 255, 255], [255, 255, 255]]);
  const part = { kind: "pictures", title: "Test example 1", columns: 2, pictures } as const;
  const files = pictureFiles({ sections: [{ name: "explanation", title: "", result: {}, shown: [part] }] });
  assert.deepEqual([...files], [[part, "assess-pictures/explanation-1.png"]]);
});

Deno.test("what speaks for a class is red, what speaks against it blue, and what does neither the faint image", () => {
  const white = { height: 1, width: 3, channels: 1, pixels: Uint8Array.of(255, 255, 0) };
  const { pixels } = heatOf([2, -2, 0], white);
  assert.deepEqual([...pixels], [178, 24, 43, 33, 102, 172, 217, 217, 217]);
});
