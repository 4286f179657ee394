import assert from "node:assert/strict";
import { inImageForm } from "../../../core/data/image_form.ts";
Deno.test("pixels that were bytes are these bytes again in another normalisation", () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const [mean, std] = [0.286, 0.353];
  const given = { data: Float32Array.from(bytes, (byte) => (byte / 255 - mean) / std), shape: [1, 16, 16, 1] };
  const form = { resize: null, normalise: { mean: [0], std: [1 / 255] } };
  const again = inImageForm(given, { mean: [mean], std: [std] }, form).data;
  bytes.forEach((byte) => assert.ok(again[byte] === byte, `${again[byte]} for ${byte}`));
  const between = { data: Float32Array.of(0.1234, 0.00002), shape: [1, 1, 2, 1] };
  const whole = { resize: null, normalise: { mean: [0], std: [1] } };
  assert.deepEqual(inImageForm(between, { mean: [0], std: [1] }, whole).data, between.data);
});
