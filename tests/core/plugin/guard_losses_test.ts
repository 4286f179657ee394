import assert from "node:assert/strict";
import { createOps } from "../../../core/ops/ops.ts";
import { guardDefinition } from "../../../core/plugin/guard.ts";
import type { Loss } from "../../../core/plugin/loss.ts";
import { defineLoss } from "../../../core/plugin/loss.ts";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { float64, testBackends } from "../../support/backends.ts";
import { buildLoss, outputs } from "../../support/losses.ts";

/** A loss as a plug-in from outside might give it, whatever the types say. */
const guardedLoss = (parts: Record<string, unknown>) =>
  guardDefinition(defineLoss({
    name: "mine",
    description: "x",
    options: ({ z }) => z.strictObject({}),
    create: () => ({ teacherOutputs: [], compute: ({ ops }) => ops.scalar(0), ...parts }) as Loss,
  }));

testBackends("parameters and state of a loss that are no lists of tensors are refused by its name", async (backend) => {
  const ops = createOps(backend);
  const models = { student: outputs(ops.scalar(0)), teacher: outputs(ops.scalar(0)) };
  for (const [kind, wrong] of [["state", 5], ["parameters", [{ name: "w" }]], ["state", [{ shape: [1] }]]] as const) {
    await assert.rejects(buildLoss(ops, guardedLoss({ [kind]: wrong }), {}, models), {
      name: "UserError",
      message: `Cannot use the loss "mine": its ${kind} must be a list of { name, shape, initialise }`,
    });
  }
}, [float64]);

testBackends("what endEpoch of a loss gives must be scalars by name, or nothing", async (backend) => {
  const ops = createOps(backend);
  const models = { student: outputs(ops.scalar(0)), teacher: outputs(ops.scalar(0)) };
  const ended = async (value: unknown) => {
    const loss = await buildLoss(ops, guardedLoss({ endEpoch: () => value }), {}, models);
    return loss.endEpoch!({ ops, state: weightsFrom(new Map()), epoch: 1 });
  };
  const refused = (value: unknown, got: RegExp) => assert.rejects(ended(value), { name: "UserError", message: got });
  await refused("x", /endEpoch of the loss "mine" returns: expected scalars by name, got string/);
  await refused({ a: 5 }, /endEpoch of the loss "mine" returns: expected a scalar tensor of shape \[\], got number/);
  await refused({ a: ops.full([2], 0) }, /got a tensor of shape \[2\]/);
  assert.deepEqual(await ended(undefined), {});
  assert.deepEqual(Object.keys(await ended({ a: ops.scalar(1) })), ["a"]);
}, [float64]);

testBackends(
  "what changes state and returns something is refused, as is what inputs gives for tensors",
  async (backend) => {
    const ops = createOps(backend);
    const models = { student: outputs(ops.scalar(0)), teacher: outputs(ops.scalar(0)) };
    const call = async (method: "prepare" | "observe" | "inputs", value: unknown) => {
      const loss = await buildLoss(ops, guardedLoss({ [method]: () => value }), {}, models);
      return await (loss[method] as (call: unknown) => unknown)({});
    };
    const refused = (method: "prepare" | "observe" | "inputs", value: unknown, got: string) =>
      assert.rejects(call(method, value), {
        name: "UserError",
        message: `Cannot use what ${method} of the loss "mine" returns: expected ${got}`,
      });
    for (const method of ["prepare", "observe"] as const) {
      assert.equal(await call(method, undefined), undefined);
      await refused(method, 5, "nothing, got 5");
      await refused(method, ops.scalar(1), "nothing, got a Tensor");
    }
    assert.equal(await call("prepare", Promise.resolve()), undefined);
    await refused("prepare", Promise.resolve({ a: 1 }), "nothing, got a map");
    await refused("observe", Promise.resolve(), "nothing, got a promise: it cannot wait");
    const tensors = "{ name: { data: Float32Array, shape: [...] } }";
    await refused("inputs", undefined, `${tensors}, got undefined`);
    await refused("inputs", [1], `${tensors}, got [1]`);
    await refused("inputs", { a: 5 }, `${tensors}, got undefined as the data of "a"`);
    const right = { a: { data: new Float32Array(6), shape: [2, 3] } };
    assert.equal(await call("inputs", right), right);
  },
  [float64],
);
