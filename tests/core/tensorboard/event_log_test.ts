import assert from "node:assert/strict";
import { histogramEvent, scalarEvent, textEvent, versionEvent } from "../../../core/tensorboard/events.ts";
import { frame, wholeRecords } from "../../../core/tensorboard/records.ts";
import golden from "../../golden/event_files.json" with { type: "json" };

const TIME = 1234567890.5;
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

Deno.test("records are byte for byte what TensorBoard's own messages and writer give", () => {
  const at = (step: number) => ({ step, time: TIME });
  assert.equal(base64(frame(versionEvent(TIME))), golden.version);
  assert.equal(base64(frame(scalarEvent(at(7), { "loss/total": 0.1, "ä b": -3 }))), golden.scalars);
  assert.equal(base64(frame(histogramEvent(at(300), { spread: golden.values }))), golden.histogram);
  assert.equal(base64(frame(textEvent(at(0), "recipe", "# Tëxt\n"))), golden.text);
});

Deno.test("a file is read up to the first record that is not whole, wherever it was cut or changed", () => {
  const contents = ["a", "bc", ""].map((text) => new TextEncoder().encode(text));
  const parts = contents.map(frame);
  const file = Uint8Array.from(parts.flatMap((part) => [...part]));
  const read = (bytes: Uint8Array) => wholeRecords(bytes).map(({ content }) => new TextDecoder().decode(content));
  assert.deepEqual(read(file), ["a", "bc", ""]);
  for (let length = 0; length < file.length; length++) {
    const whole = length < parts[0].length ? [] : length < parts[0].length + parts[1].length ? ["a"] : ["a", "bc"];
    assert.deepEqual(read(file.slice(0, length)), whole, `${length} bytes`);
  }
  for (let place = parts[0].length; place < parts[0].length + parts[1].length; place++) {
    const changed = file.slice();
    changed[place] ^= 1;
    assert.deepEqual(read(changed), ["a"], `byte ${place}`);
  }
});

Deno.test("equal numbers are one part of a histogram, and no numbers none", () => {
  const read = (numbers: number[]) => wholeRecords(frame(histogramEvent({ step: 1, time: 0 }, { all: numbers })))[0];
  assert.ok(read([2, 2, 2]).content.length < 90, "not thirty parts");
});
