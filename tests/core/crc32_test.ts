import assert from "node:assert/strict";
import { crc32, crc32c } from "../../core/crc32.ts";

const DIGITS = new TextEncoder().encode("123456789");

Deno.test("CRC-32 is what the PNG specification's code gives", () => {
  assert.equal(crc32(DIGITS), 0xcbf43926);
  assert.equal(crc32(new TextEncoder().encode("IEND")), 0xae426082);
});

Deno.test("CRC-32C is RFC 3720's", () => {
  assert.equal(crc32c(DIGITS), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
});
