import assert from "node:assert/strict";
import type { Backend } from "../../../core/backend/backend.ts";
import { createOps, type Ops } from "../../../core/ops/ops.ts";
import { elideCopies } from "../../../core/replay/elide_copies.ts";
import { Notes } from "../../../core/replay/notes.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { float64, testBackends } from "../../support/backends.ts";

/** How many copies stay of those that a body makes; `a`, `b` and `ab` are parts of one storage, `x` is the input. */
function copiesLeft(
  backend: Backend,
  body: (ops: Ops, tensors: Readonly<Record<"x" | "a" | "b" | "ab" | "other", Tensor>>) => Tensor | void,
): number {
  const ops = createOps(backend);
  return ops.scope(() => {
    const x = ops.full([64], 2);
    const ab = ops.full([128], 1);
    const other = ops.full([64], 1);
    const parts = { x, ab, other, a: ops.device.alias(ab, [64]), b: ops.device.alias(ab, [64], 64) };
    const notes = new Notes([x]);
    const output = ops.device.observed(notes, () => body(ops, parts));
    notes.finish(output ? [output] : [], 0);
    const left = elideCopies(notes).calls.filter((call) => !("kernel" in call)).length;
    notes.dispose();
    return left;
  });
}

const cases: readonly [string, number, Parameters<typeof copiesLeft>[1]][] = [
  ["results are made where they would be copied to", 0, (ops, { x, a, b }) => {
    const [first, second] = [ops.square(x), ops.exp(x)];
    ops.assign(a, first);
    ops.assign(b, second);
  }],
  ["a result that is an input, an output, a constant, or part of another is copied", 4, (ops, { x, a, b, other }) => {
    const output = ops.square(x);
    ops.assign(a, output);
    ops.assign(b, x);
    ops.assign(other, ops.tensor(new Float32Array(64)));
    ops.assign(a, ops.device.alias(ops.full([128], 3), [64], 64));
    return output;
  }],
  ["a result that is used after its copy is copied", 1, (ops, { x, a }) => {
    const result = ops.square(x);
    ops.assign(a, result);
    ops.exp(result);
  }],
  ["the target's old numbers are read in the meantime", 1, (ops, { x, a }) => {
    const result = ops.square(x);
    ops.exp(a);
    ops.assign(a, result);
  }],
  ["the target's new numbers are read afterwards", 0, (ops, { x, a }) => {
    ops.assign(a, ops.square(x));
    ops.exp(a);
  }],
  ["a result of the target itself is copied", 1, (ops, { x, a }) => ops.assign(a, ops.add(a, x))],
  ["a result of another part of the target's storage is copied", 1, (ops, { x, a, b }) => ops.assign(a, ops.add(b, x))],
  ["of a result and what is computed from it only one has its home in a storage", 1, (ops, { x, a, b }) => {
    const first = ops.square(x);
    const second = ops.exp(first);
    ops.assign(a, first);
    ops.assign(b, second);
  }],
  ["in different storages both have", 0, (ops, { x, a, other }) => {
    const first = ops.square(x);
    const second = ops.exp(first);
    ops.assign(a, first);
    ops.assign(other, second);
  }],
  ["a result that is copied twice is made at the last place", 1, (ops, { x, a, other }) => {
    const result = ops.square(x);
    ops.assign(a, result);
    ops.assign(other, result);
  }],
  ["within one storage it is copied twice", 2, (ops, { x, a, b }) => {
    const result = ops.square(x);
    ops.assign(a, result);
    ops.assign(b, result);
  }],
];

for (const [name, expected, body] of cases) {
  testBackends(name, (backend) => assert.equal(copiesLeft(backend, body), expected), [float64]);
}
