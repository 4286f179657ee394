import type { Ops } from "../../core/ops/ops.ts";
import { type BodyCall, Recorder } from "../../core/replay/recorder.ts";
import type { Tensor } from "../../core/tensor.ts";
import { median } from "../support/median.ts";
import type { Work } from "./protocol.ts";

/** Steps for the note's figures. */
const NOTE_STEPS = 20;

/**
 * A step of many dispatches with next to nothing to compute: what is left is what sending them costs. It is replayed,
 * as training steps are; the note says what the same step costs when it is computed anew each time.
 *
 * @param dispatches how many; each adds 1 to a few numbers
 */
export function startOverhead(ops: Ops, dispatches: number): Work {
  const state = ops.tensor(new Float32Array(16));
  const sync = async () => (await state.read())[0];
  const replaying = stepOf(ops, state, dispatches, true);
  return {
    step: replaying,
    sync,
    async note() {
      const replayed = await costOf(ops, replaying, sync);
      const computed = await costOf(ops, stepOf(ops, state, dispatches, false), sync);
      return `JavaScript a step: ${replayed} replayed, ${computed} computed anew`;
    },
  };
}

function stepOf(ops: Ops, state: Tensor, dispatches: number, replay: boolean): () => void {
  const recorder = new Recorder(ops.device, replay);
  const body = ({ inputs: { one } }: BodyCall<never>) => {
    let sum = state;
    for (let i = 0; i < dispatches; i++) sum = ops.add(sum, one);
    ops.assign(state, sum);
    return { sum: [sum] };
  };
  const inputs = { one: { data: [1], shape: [1] } };
  return () =>
    ops.scope(() => {
      recorder.run({ key: "", inputs, randomSeed: () => 0, at: () => 0, body });
    });
}

async function costOf(ops: Ops, step: () => void, sync: () => Promise<number>): Promise<string> {
  const milliseconds: number[] = [];
  for (let i = 0; i < NOTE_STEPS; i++) {
    // Waited for each time: a full queue would make the next step wait, which is not JavaScript's time.
    await sync();
    const began = performance.now();
    step();
    milliseconds.push(performance.now() - began);
  }
  const { submits } = ops.backend.work();
  for (let i = 0; i < NOTE_STEPS; i++) step();
  const submitsPerStep = (ops.backend.work().submits - submits) / NOTE_STEPS;
  return `${median(milliseconds).toFixed(2)} ms and ${submitsPerStep} submits`;
}
