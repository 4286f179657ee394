import assert from "node:assert/strict";
import { optionKit } from "../../../core/plugin/kit.ts";
import { bert } from "../../../plugins/models/bert/bert.ts";
import { type EncoderCase, encoderInputs, encoders } from "../../../tasks/bench/encoders.ts";
import { operations } from "../../../tasks/bench/flops.ts";
import { verify } from "../../../tasks/bench/verify.ts";

Deno.test("the encoders have the plug-in's parameters, and the tokens that PyTorch's script makes", () => {
  const { sizes, parameters, tokens } = encoderInputs("encoder-mail");
  const { batch, length, vocabulary, ...own } = sizes;
  const model = bert.build(
    bert.options(optionKit).parse({
      ...{ layers: own.layers, width: own.width, heads: own.heads, ffn: own.ffn },
      ...{ vocabulary, positions: length },
    }),
    {
      task: "classification",
      classes: ["0", "1"],
      image: null,
      text: { vocabulary, maxLength: length, padding: 0, files: {} },
    },
  );
  const described = (list: readonly { readonly name: string; readonly shape: readonly number[] }[]) =>
    list.map(({ name, shape }) => `${name} [${shape}]`);
  assert.deepEqual(described(parameters), described(model.parameters));
  assert.equal(tokens.length, batch * length);
  assert.deepEqual([...tokens.slice(0, 6)], [707, 870, 1441, 1120, 2008, 1323]);
});

Deno.test("a step's operations are those of its products, three times", () => {
  // One layer of width 768 on 32 x 128 tokens, product by product: rows, columns, depth.
  const tokens = 32 * 128, heads = 32 * 12;
  const products: [number, number, number][] = [
    ...Array<[number, number, number]>(4).fill([tokens, 768, 768]),
    [tokens, 3072, 768],
    [tokens, 768, 3072],
    [heads * 128, 128, 64],
    [heads * 128, 64, 128],
    [32, 768, 768],
    [32, 2, 768],
  ];
  const forward = products.reduce((sum, [rows, columns, depth]) => sum + 2 * rows * columns * depth, 0);
  assert.equal(operations("encoder-base"), 3 * forward);
  assert.equal(operations("attention"), 2 * 2 * 384 * 128 * 128 * 64);
});

Deno.test("an encoder that does not learn as PyTorch's, and another product of attention, are refused", () => {
  const result = { engine: "fake", version: "1", size: 1, first: 1, seconds: [1], stepsPerSample: 1 };
  const check = (name: EncoderCase | "attention", values: number[]) =>
    verify({ ...result, case: name, values: values.map((value, step) => [step, value]) });
  const [first, second, third] = encoders["encoder-minilm"].losses;
  check("encoder-minilm", [first, second, third, 0.5]);
  assert.throws(() => check("encoder-minilm", [first, second, third + 0.01]), /Wrong loss at step 2/);
  assert.throws(() => check("encoder-minilm", [first, second, third, 0.8]), /the loss went from/);
  check("attention", [0.57547, 1]);
  assert.throws(() => check("attention", [0.5756]), /entry \[0, 0, 0\] is 0\.5756, not 0\.5754/);
});
