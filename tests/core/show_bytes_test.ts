import assert from "node:assert/strict";
import { showBytes } from "../../core/show_bytes.ts";

Deno.test("bytes have three digits and a decimal unit", () => {
  const shown: readonly (readonly [number, string])[] = [
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1000, "1.00 kB"],
    [79_240, "79.2 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [2_246_000, "2.25 MB"],
    [280e6, "280 MB"],
    [999.5e6, "1.00 GB"],
    [2.5e12, "2,500 GB"],
  ];
  for (const [bytes, text] of shown) assert.equal(showBytes(bytes), text);
});
