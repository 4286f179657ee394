import assert from "node:assert/strict";
import { Owned } from "../../core/owned.ts";

Deno.test("what is owned is disposed of once, the last first, and one failure keeps nothing from it", () => {
  const told: string[] = [];
  const owned = new Owned();
  owned.defer(() => told.push("first"));
  owned.defer(() => {
    told.push("second");
    throw new Error("second");
  });
  assert.equal(owned.adopt("third", (value) => told.push(value)), "third");
  for (const dispose of [() => assert.throws(() => owned.dispose(), { message: "second" }), () => owned.dispose()]) {
    dispose();
    assert.deepEqual(told, ["third", "second", "first"]);
  }
});

Deno.test("what moved to another owner is that one's alone", () => {
  const told: string[] = [];
  let kept: Owned;
  {
    using owned = new Owned();
    owned.use({ [Symbol.dispose]: () => told.push("disposed") });
    kept = owned.move();
  }
  assert.deepEqual(told, []);
  kept.dispose();
  assert.deepEqual(told, ["disposed"]);
});
