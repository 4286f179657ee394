import assert from "node:assert/strict";
import { weightsFrom } from "../../../core/nn/weights.ts";
import { createOps } from "../../../core/ops/ops.ts";
import { backends, float64, testBackends } from "../../support/backends.ts";
import { namedOutputs } from "./bert_fixture.ts";
import { assertRelative } from "./resnet_fixture.ts";
import { buildTransformer, buildVit, openTransformer, type TransformerName, transformers } from "./vit_fixture.ts";
import { assertGradients } from "./encoder_gradients.ts";

const names = Object.keys(transformers) as TransformerName[];

for (const name of names) {
  testBackends(`${name} gives PyTorch's hidden states, attention and logits`, async (backend) => {
    const ops = createOps(backend);
    const { expected, shapeOf, forward } = await openTransformer(name, ops);
    const outputs = namedOutputs(forward());
    const others = [...expected.keys()].filter((key) => !/^(image|label|gradient\..*)$/.test(key));
    assert.deepEqual([...outputs.keys()].sort(), others.sort());
    for (const [key, tensor] of outputs) {
      assert.deepEqual(tensor.shape, shapeOf(key), key);
      assertRelative(await tensor.read(), expected.get(key)!, backend.precision === "float64" ? 2e-7 : 1e-5, key);
    }
  }, [float64, ...backends]);

  testBackends(`${name}: the gradient of cross-entropy by every parameter is PyTorch's`, async (backend) => {
    const ops = createOps(backend);
    const { student, expected, batch, forward } = await openTransformer(name, ops);
    const parameters = [...student.plain.tensors.keys()];
    assert.equal(parameters.length, [...expected.keys()].filter((key) => key.startsWith("gradient.")).length);
    const { gradients } = ops.differentiate(
      () => ops.negate(ops.mean(ops.pick(ops.logSoftmax(forward(true).logits), batch.label))),
      [...student.plain.tensors.values()],
    );
    for (const [index, name] of parameters.entries()) {
      const gradient = await gradients[index]!.read();
      // The bias of the keys adds the same to all scores of a query: its gradient is zero but for rounding.
      if (name.endsWith("key.bias")) assert.ok(gradient.every((value) => Math.abs(value) < 1e-6), name);
      else assertRelative(gradient, expected.get(`gradient.${name}`)!, 2e-5, name);
    }
  });
}

testBackends("the gradient through both layers agrees with finite differences", async (backend) => {
  const ops = createOps(backend);
  const { student, forward } = await openTransformer("vit", ops, { dropout: 0.2, attentionDropout: 0.1 });
  await assertGradients(ops, student, () => forward(true));
}, [float64]);

testBackends("fused, query, key and value stacked give what they give apart", async (backend) => {
  const ops = createOps(backend);
  for (const name of names) {
    const { model, weights, expected, batch } = await openTransformer(name, ops);
    const fused = await buildTransformer(name, { qkv: "fused" });
    assert.equal(fused.parameters.length, model.parameters.length - 2 * 4);
    const parts = (name: string) => ["query", "key", "value"].map((part) => name.replace(".qkv.", `.${part}.`));
    const tensors = new Map(fused.parameters.map(({ name, shape }) => {
      const sources = name.includes(".qkv.") ? parts(name) : [name];
      return [name, ops.tensor(sources.flatMap((source) => [...weights.get(source)!]), shape)];
    }));
    const call = { ops, weights: weightsFrom(tensors), batch, training: false, randomSeed: () => 0 };
    const { logits } = fused.forward(call);
    assertRelative(await logits.read(), expected.get("logits")!, 1e-5, name);
  }
});

testBackends("DeiT's logits are the mean of its heads', that of the class sees the class token", async (backend) => {
  const ops = createOps(backend);
  const { weights, expected, forward } = await openTransformer("deit", ops);
  for (const training of [false, true]) {
    const { headLogits, pooled, logits } = forward(training);
    assert.deepEqual(Object.keys(headLogits!), ["class", "distillation"]);
    const layer = (name: string, shape: number[]) => ops.tensor(weights.get(`cls_classifier.${name}`)!, shape);
    const own = await ops.linear(pooled, layer("weight", [4, 12]), layer("bias", [4])).read();
    assertRelative(await headLogits!.class.read(), Float32Array.from(own), 1e-5, "class");
    const other = expected.get("logits")!.map((value, index) => 2 * value - own[index]);
    assertRelative(await headLogits!.distillation.read(), other, 1e-5, "distillation");
    assertRelative(await logits.read(), expected.get("logits")!, 1e-5, "logits");
  }
  assert.equal((await openTransformer("vit", ops)).forward().headLogits, undefined);
});

testBackends("a DeiT of one head gives the logits that the class token has with two", async (backend) => {
  const ops = createOps(backend);
  const { weights, forward, batch } = await openTransformer("deit", ops);
  const { headLogits, pooled } = forward();
  const one = await buildTransformer("deit", { distillationHead: false });
  const tensors = new Map(one.parameters.map(({ name, shape }) => {
    const own = name.replace(/^classifier/, "cls_classifier");
    return [name, ops.tensor(weights.get(own)!, shape)];
  }));
  const call = { ops, weights: weightsFrom(tensors), batch, training: false, randomSeed: () => 0 };
  const outputs = one.forward(call);
  assert.deepEqual([...await outputs.logits.read()], [...await headLogits!.class.read()]);
  assert.deepEqual([...await outputs.pooled.read()], [...await pooled.read()]);
  assert.equal(outputs.headLogits, undefined);
});

testBackends("dropout is part of training alone, and its seed decides it", async (backend) => {
  const ops = createOps(backend);
  const { forward } = await openTransformer("deit", ops, { dropout: 0.1 });
  const logits = async (training: boolean, seed?: number) => [...await forward(training, seed).logits.read()];
  assert.deepEqual(await logits(false, 1), await logits(false, 2));
  assert.deepEqual(await logits(true, 1), await logits(true, 1));
  assert.notDeepEqual(await logits(true, 1), await logits(true, 2));
  assert.notDeepEqual(await logits(true, 1), await logits(false, 1));
});

Deno.test("the matrices of every block and the projection of patches may be over-parameterised, nothing else", () => {
  const chosen = (qkv: string) =>
    buildVit({ layers: 2, width: 8, heads: 2, patch: 4, qkv }).parameters
      .filter(({ overParameterisable }) => overParameterisable);
  const names = (qkv: string) => chosen(qkv).map(({ name }) => name).filter((name) => name.includes("layer.1."));
  const block = "vit.encoder.layer.1.";
  const rest = ["attention.output.dense", "intermediate.dense", "output.dense"];
  const attention = (parts: string[]) => parts.map((part) => `attention.attention.${part}`);
  const full = (parts: string[]) => [...parts, ...rest].map((name) => `${block}${name}.weight`);
  assert.deepEqual(names("split"), full(attention(["query", "key", "value"])));
  assert.deepEqual(names("fused"), full(attention(["qkv"])));
  assert.deepEqual(chosen("split").map(({ name }) => name)[0], "vit.embeddings.patch_embeddings.projection.weight");
  assert.equal(chosen("split").length, 1 + 2 * 6);
  assert.deepEqual(chosen("fused").find(({ name }) => name.endsWith("qkv.weight"))!.shape, [24, 8]);
});
