import type { Ops } from "../../ops/ops.ts";
import { UserError } from "../../errors.ts";
import type { LossDefinition } from "../loss.ts";
import type { RigName, Rigs } from "./rigs.ts";
import { type Check, describeError, expect } from "./check.ts";
import { checkGradient } from "./differences.ts";
import { datasOf, nameOf } from "./inputs.ts";
import { LossRig, type LossRigOptions } from "./loss_rig.ts";
import { expectClose, expectEqual, expectFinite, readNamed } from "./numbers.ts";

const BATCH = 4;
/** A wider teacher: a whole number of heads. */
const WIDER = 2;
const ON_DEVICES = 2e-4;
const BY_DIFFERENCES = 1e-5;

/** The checks of every loss; its options are already checked. */
export function lossChecks(definition: LossDefinition, options: unknown, rigs: Rigs): Check[] {
  let chosen: Pick<LossRigOptions, "data"> | undefined;
  const rig = async <Result>(
    name: RigName,
    body: (rig: LossRig) => Promise<Result>,
    { batch = BATCH, wider = 0 }: Partial<LossRigOptions> = {},
  ): Promise<Result> => {
    expect(chosen !== undefined, "it cannot be built");
    const opened = await LossRig.open(await rigs.ops(name), definition, options, { ...chosen, batch, wider });
    return await body(opened).finally(() => opened.dispose());
  };
  const twoSteps = (name: RigName) =>
    rig(name, async (opened) => {
      const first = await opened.step();
      await opened.advance();
      return [first, await opened.step()];
    });
  const onDevice = (name: "cpu" | "webgpu"): Check => ({
    name: `same value and gradient on ${name} as in float64`,
    run: async () => {
      const [actual, expected] = [await twoSteps(name), await twoSteps("float64")];
      for (const [index, { value, gradients }] of actual.entries()) {
        const after = index === 0 ? "" : " after an epoch";
        expectClose(value, expected[index].value, ON_DEVICES, `on ${name}${after}`);
        expectClose(gradients, expected[index].gradients, ON_DEVICES, `of the gradient on ${name}${after}`);
      }
    },
  });
  return [
    {
      name: "built for made-up models",
      decisive: true,
      run: async () => {
        const { data, refusals } = await fittingData(await rigs.ops("float64"), definition, options);
        expect(data !== null, refusals.join("; "));
        chosen = { data };
        return nameOf(data);
      },
    },
    {
      name: "reads only the teacher's outputs that it declares",
      run: () => rig("float64", (opened) => Promise.resolve(opened.ops.scope(() => void opened.compute()))),
    },
    { name: "gives a finite scalar of shape []", run: () => rig("float64", expectScalar) },
    {
      name: "gradient agrees with finite differences",
      run: () =>
        rig("float64", async (opened) => {
          // Some losses begin only when they have seen an epoch.
          await opened.step();
          await opened.advance();
          // The differences see the state that the gradient was computed with.
          const { gradients } = await opened.step(false);
          const idle = (opened.loss.parameters ?? []).find(({ name }) => !gradients.has(name));
          expect(!idle, `no gradient reaches its parameter "${idle?.name}"`);
          const compared = await checkGradient(opened.ops, {
            tensors: opened.trained,
            gradients,
            value: () => opened.compute(),
            perTensor: 12,
            tolerance: BY_DIFFERENCES,
            refine: true,
          });
          return `${compared} numbers`;
        }),
    },
    onDevice("cpu"),
    onDevice("webgpu"),
    {
      name: "the same numbers in every run",
      run: async () => {
        const [first, again] = [await twoSteps("cpu"), await twoSteps("cpu")];
        again.forEach((step, index) => {
          expectEqual(step.value, first[index].value, "in a second run");
          expectEqual(step.gradients, first[index].gradients, "in a second run");
        });
      },
    },
    { name: "compute changes nothing", run: () => rig("cpu", expectPure) },
    { name: "leaks no tensors", run: () => rig("cpu", expectNoLeaks) },
    { name: "works on a batch of one", run: () => rig("cpu", expectScalar, { batch: 1 }) },
    {
      name: "works with a wider teacher, or refuses it in one sentence",
      run: () => rig("cpu", expectScalar, { wider: WIDER }).then(() => "works", refusal),
    },
  ];
}

/** The first kind of data that the loss can be built and computed for. */
async function fittingData(ops: Ops, definition: LossDefinition, options: unknown) {
  const refusals: string[] = [];
  for (const data of datasOf()) {
    try {
      const opened = await LossRig.open(ops, definition, options, { data, batch: BATCH, wider: 0 });
      opened.dispose();
      return { data, refusals };
    } catch (error) {
      refusals.push(`for ${nameOf(data)}: ${describeError(error)}`);
    }
  }
  return { data: null, refusals };
}

async function expectScalar(rig: LossRig): Promise<void> {
  await expectScalarNow(rig);
  await rig.advance();
  await expectScalarNow(rig);
}

async function expectScalarNow(rig: LossRig): Promise<void> {
  const value = rig.ops.scope(() => rig.compute()); // the guard refuses what is no scalar
  const [number] = await value.read();
  value.dispose();
  expect(Number.isFinite(number), `the value is ${number}`);
  expectFinite((await rig.step()).gradients);
}

async function expectPure(rig: LossRig): Promise<void> {
  const valueNow = async () => {
    const value = rig.ops.scope(() => rig.compute());
    const numbers = await readNamed(rig.ops, new Map([["the value", value]]));
    value.dispose();
    return numbers;
  };
  const before = await readNamed(rig.ops, rig.given);
  const first = await valueNow();
  expectEqual(await valueNow(), first, "when it is computed again");
  expectEqual(await readNamed(rig.ops, rig.given), before, "after compute");
}

async function expectNoLeaks(rig: LossRig): Promise<void> {
  const live = () => rig.ops.backend.memory().storages;
  await rig.step();
  await rig.advance();
  const before = live();
  for (let step = 0; step < 3; step++) await rig.step();
  await rig.advance();
  expect(live() === before, `${live() - before} more tensors live after 3 more steps`);
}

/** Whether an error is a sentence for the user rather than a stumble. */
function refusal(error: unknown): string {
  const cause = error instanceof UserError && error.cause instanceof Error ? error.cause : error;
  const stumbled = !(cause instanceof Error) || cause instanceof TypeError || cause instanceof ReferenceError;
  expect(!stumbled && !cause.message.includes("\n"), describeError(cause));
  return `refuses: ${cause.message}`;
}
