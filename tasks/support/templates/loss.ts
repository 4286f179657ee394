/**
 * A loss to start from.
 *
 * @param name its name in recipes
 * @param library what it imports our types from
 */
export function lossTemplate(name: string, library: string): string {
  return `import type { LossDefinition, Scheduled } from "${library}";

/**
 * Squared difference of softened outputs: the sum over classes c of (softmax(z_T / T)_c - softmax(z_S / T)_c)^2, mean
 * over the batch.
 */
const loss: LossDefinition<{ temperature: Scheduled }> = {
  kind: "loss",
  name: "${name}",
  description: "Squared difference of softened outputs",
  equation: "sum_c (softmax(z_T / T)_c - softmax(z_S / T)_c)^2, mean over the batch",
  options: ({ z, scheduled }) =>
    z.strictObject({
      temperature: scheduled(z.number().min(1e-3).max(1e4)).default(1).describe(
        "Temperature T that softens both outputs",
      ),
    }),
  create: ({ temperature }) => ({
    teacherOutputs: ["logits"], // what it reads of the teacher; the rest is not kept
    compute({ ops, student, teacher, at }) {
      const t = at(temperature); // at this step, as it may follow a schedule
      const [p, q] = [teacher, student].map(({ logits }) => ops.softmax(ops.scale(logits, 1 / t))); // [batch, classes]
      return ops.scale(ops.sum(ops.square(ops.subtract(p, q))), 1 / p.shape[0]); // a scalar: []
    },
  }),
};
export default loss;
`;
}

/**
 * The test of that loss.
 *
 * @param file the loss, relative to the test
 */
export function lossTestTemplate(name: string, library: string, file: string): string {
  return `import assert from "node:assert/strict";
import { createOps, openBackend, optionKit } from "${library}";
import type { LossCall, LossSetup, ModelOutputs } from "${library}";
import loss from "${file}";

/** The loss between the logits of one example. */
async function valueOf(student: number[], teacher: number[]): Promise<number> {
  const { backend } = await openBackend("cpu");
  try {
    const ops = createOps(backend);
    const outputs = (logits: number[]) => ({ logits: ops.tensor(logits, [1, logits.length]) }) as ModelOutputs;
    const { compute } = await loss.create(loss.options(optionKit).parse({}), {} as LossSetup);
    const at: LossCall["at"] = (value) => value as number;
    const call = { ops, student: outputs(student), teacher: outputs(teacher), at } as LossCall;
    return (await compute(call).read())[0];
  } finally {
    await backend.close();
  }
}

Deno.test("${name} is 0 for equal logits", async () => {
  assert.equal(await valueOf([2, -1, 0], [2, -1, 0]), 0);
});

Deno.test("${name} of (3/4, 1/4) and (1/2, 1/2) is 1/16 + 1/16", async () => {
  const value = await valueOf([Math.log(3), 0], [0, 0]);
  assert.ok(Math.abs(value - 1 / 8) < 1e-6, \`\${value}\`);
});
`;
}
