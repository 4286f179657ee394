import assert from "node:assert/strict";
import { openJson, sealJson } from "../../core/sealed_json.ts";

Deno.test("a sealed value is read again as JSON has it, whole, and any other digit is noticed", async () => {
  const value = { name: "a", numbers: [1.5, NaN, 1e-12], nested: { b: null, 2: "two", 1: "one" } };
  const text = await sealJson(value);
  const opened = await openJson(JSON.parse(text));
  assert.deepEqual(opened, { value: JSON.parse(JSON.stringify(value)), isWhole: true });
  for (const place of [...text.matchAll(/\d/g)].map(({ index }) => index)) {
    const changed = `${text.slice(0, place)}${(Number(text[place]) + 1) % 10}${text.slice(place + 1)}`;
    assert.equal((await openJson(JSON.parse(changed))).isWhole, false, changed);
  }
});

Deno.test("of a value without a checksum nothing is known", async () => {
  assert.deepEqual(await openJson({ a: 1 }), { value: { a: 1 }, isWhole: null });
  assert.deepEqual(await openJson([1]), { value: [1], isWhole: null });
  assert.deepEqual(await openJson(null), { value: null, isWhole: null });
});
