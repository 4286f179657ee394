import assert from "node:assert/strict";
import { type CheckOptions, checkPlugin } from "../../../../core/plugin/check/check_plugin.ts";
import { checkGradient, Unsettled } from "../../../../core/plugin/check/differences.ts";
import { Rigs } from "../../../../core/plugin/check/rigs.ts";
import { defineModel, type ForwardCall, type ParameterSpec } from "../../../../core/plugin/model.ts";
import type { Tensor } from "../../../../core/tensor.ts";

const WIDTH = 6;

/**
 * Convolutions that halve the picture three times, and some of 1x1 behind them, each with batch norm and relu: images
 * of 8x8 end as one pixel, where statistics are over the batch's three numbers.
 */
const shrinking = (wrong: (call: ForwardCall, x: Tensor) => Tensor = (_, x) => x, depth = 24) =>
  defineModel<Record<string, never>>({
    name: "shrinking",
    description: "Convolutions that halve the picture three times",
    options: ({ z }) => z.strictObject({}),
    build(_, { image, classes }) {
      const layers = Array.from({ length: depth }, (_, index) => ({
        name: `layers.${index}`,
        inputs: index === 0 ? image!.size[2] : WIDTH,
        size: index < 3 ? 3 : 1,
        stride: index < 3 ? 2 : 1,
      }));
      const parameters: ParameterSpec[] = layers.flatMap(({ name, inputs, size }) => [
        {
          name: `${name}.conv.weight`,
          shape: [WIDTH, inputs, size, size],
          initialise: { use: "kaiming-normal", fan: "out" } as const,
          trainable: true,
          overParameterisable: true,
        },
        ...(["weight", "bias", "running_mean", "running_var"] as const).map((part) => ({
          name: `${name}.bn.${part}`,
          shape: [WIDTH],
          initialise: { use: "constant", value: part === "weight" || part === "running_var" ? 1 : 0 } as const,
          trainable: part === "weight" || part === "bias",
          overParameterisable: false,
        })),
      ]);
      const head = {
        initialise: { use: "normal", deviation: 0.5 },
        trainable: true,
        overParameterisable: false,
      } as const;
      parameters.push({ name: "fc.weight", shape: [classes.length, WIDTH], ...head });
      return {
        parameters,
        config: {},
        fromForeign: (name) => name,
        forward(call) {
          const { ops, weights, batch, training } = call;
          let x = batch.image;
          for (const { name, size, stride } of layers) {
            x = ops.conv2d(x, weights.get(`${name}.conv.weight`), { stride, padding: size >> 1 });
            const [runningMean, runningVariance] = ["running_mean", "running_var"].map((part) =>
              weights.get(`${name}.bn.${part}`)
            );
            const options = { training, runningMean, runningVariance, activation: "relu" as const };
            x = wrong(
              call,
              ops.batchNorm(x, weights.get(`${name}.bn.weight`), weights.get(`${name}.bn.bias`), options),
            );
          }
          const pooled = ops.mean(x, { axes: [1, 2] });
          const logits = ops.matmul(pooled, weights.get("fc.weight"), { transposeB: true });
          return { logits, features: {}, hidden: [], attention: [], pooled };
        },
      };
    },
  });

/** What the check of the gradient gives. */
async function gradientOf(definition: ReturnType<typeof shrinking>, options: CheckOptions = {}) {
  for await (const { name, outcome, detail } of checkPlugin(definition, options)) {
    if (name === "gradient agrees with finite differences") return `${outcome}: ${detail}`;
    assert.notEqual(outcome, "failed", `${name}: ${detail}`);
  }
  assert.fail("the gradient is not checked");
}

Deno.test("a right gradient passes though batch norm of one pixel is singular, on larger images", async () => {
  assert.match(await gradientOf(shrinking()), /^ok: \d+ numbers, of images of (16x16|32x32|64x64)$/);
});

Deno.test("images of a chosen size are taken, and no others", async () => {
  assert.match(await gradientOf(shrinking(), { imageSize: [32, 24] }), /^ok: \d+ numbers$/);
});

Deno.test("a wrong gradient fails there all the same, whatever the size", async () => {
  // Half of what a layer gives is held constant in the gradient.
  const wrong = ({ ops }: ForwardCall, x: Tensor) => ops.add(ops.scale(x, 0.5), ops.constant(() => ops.scale(x, 0.5)));
  const failed = /^failed: by .* it is -?\d.*, and -?\d.* by finite differences/;
  assert.match(await gradientOf(shrinking(wrong)), failed);
  assert.match(await gradientOf(shrinking(wrong), { imageSize: [32, 32] }), failed);
  // Where differences settle, no larger images are asked.
  assert.match(await gradientOf(shrinking(wrong, 3)), /^failed: by .* by finite differences$/);
});

Deno.test("differences that grow as the steps shrink do not settle, however small beside the gradient; none at all do", async () => {
  const rigs = new Rigs(false);
  try {
    const ops = await rigs.ops("float64");
    const x = ops.keep(ops.tensor([0], [1]));
    const check = (gradient: number, value: () => Tensor) =>
      checkGradient(ops, {
        ...{ tensors: new Map([["x", x]]), gradients: new Map([["x", Float64Array.of(gradient)]]), value },
        ...{ perTensor: 1, tolerance: 1e-4, refine: false },
      });
    // x over its own deviation, as of batch norm over one value: 1e11 is right, and steps of 1e-5 show 1e5.
    const singular = () => {
      const variance = ops.add(ops.multiply(x, x), ops.tensor([1e-22], [1]));
      return ops.sum(ops.divide(x, ops.sqrt(variance)));
    };
    await assert.rejects(check(1e11, singular), Unsettled);
    await assert.rejects(check(1, () => ops.sum(ops.tensor([7], [1]))), {
      name: "Error",
      message: /^by x\[0\] it is 1\.00000, and 0\.00000 by finite differences$/,
    });
    x.dispose();
  } finally {
    await rigs.close();
  }
});
