import assert from "node:assert/strict";
import { isJsonObject, parseJson, showJson } from "../../core/json.ts";

const read = (source: string | Uint8Array) =>
  parseJson(source, (reason) => new TypeError(reason), { distinctKeys: true });

Deno.test("what is wrong with a text that is no JSON is told with line and column", () => {
  const mistakes: [text: string, reason: string][] = [
    ["", "it is no JSON: it is empty"],
    ["{", "it is no JSON: it ends too early"],
    ['"abc', "it is no JSON: it ends too early"],
    ["[[]", "it is no JSON: it ends too early"],
    ['{"a":}', "it is no JSON: its line 1, column 6 is wrong"],
    ['{"a":1}x', "it is no JSON: its line 1, column 8 is wrong"],
    ["[1,]", "it is no JSON: its line 1, column 4 is wrong"],
    ['{"a" 1}', "it is no JSON: its line 1, column 6 is wrong"],
    ['{"a":\r\n  nope}', "it is no JSON: its line 2, column 3 is wrong"],
    ['{"a":"x\ny"}', "it is no JSON: its line 1, column 8 is wrong"],
    ['{"a":"\\x"}', "it is no JSON: its line 1, column 7 is wrong"],
    ["[01]", "it is no JSON: its line 1, column 3 is wrong"],
    ["NaN", "it is no JSON: its line 1, column 1 is wrong"],
    ["{]", "it is no JSON: its line 1, column 2 is wrong"],
    ['{"a":1,"\\u0061":2}', 'it has the key "a" twice in one object'],
    ["[".repeat(201) + "]".repeat(201), "it is nested more than 200 levels deep"],
  ];
  for (const [text, reason] of mistakes) assert.throws(() => read(text), { name: "TypeError", message: reason }, text);
  assert.throws(() => read(Uint8Array.of(0x22, 0xff, 0x22)), { message: "it is not UTF-8 text" });
});

Deno.test("JSON is read as it is, of any length, with a byte order mark or not", () => {
  const text = JSON.stringify({ "a[{": '"]}\\', long: "x".repeat(1e6), deep: [[[{ b: null }]]] });
  assert.deepEqual(read(text), JSON.parse(text));
  assert.deepEqual(read(new TextEncoder().encode(`\ufeff${text}`)), JSON.parse(text));
  assert.deepEqual(parseJson('{"a":1,"a":2}', TypeError), { a: 2 });
  assert.deepEqual(Object.keys(read('{"__proto__":1}') as object), ["__proto__"]);
});

Deno.test("values stand short in sentences", () => {
  assert.equal(showJson("x".repeat(100)), `"${"x".repeat(56)}...`);
  assert.equal(showJson(undefined), "nothing");
  assert.deepEqual([{}, [], null, 1].map(isJsonObject), [true, false, false, false]);
});
