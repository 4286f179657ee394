/**
 * TensorFlow.js on its WebGPU backend: `deno run tasks/bench/peers/tfjs.ts matmul|resnet8`.
 *
 * Written as its users write: package roots, NHWC, batch norm as tfjs-layers does it in training (moments, then the
 * fused batchNorm), the library's own momentum optimiser, flags at their defaults. It has no graph compiler.
 */
import * as tf from "npm:@tensorflow/tfjs-core@4.22.0";
// Only for what importing it does: it registers the gradients of the operations, which core's own root leaves out.
import "npm:@tensorflow/tfjs-layers@4.22.0";
import "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
import { type Operations, resnet8 } from "../resnet8.ts";
import { runEngine, type Work } from "../protocol.ts";
import {
  batchSize,
  classes,
  convolutions,
  imageSize,
  type Inputs,
  learningRate,
  matmulSize,
  momentum,
  normEpsilon,
  normMomentum,
} from "../workload.ts";

function startMatmul(inputs: Inputs["matmul"]): Work {
  const left = tf.tensor2d(inputs.a, [matmulSize, matmulSize]);
  let right = tf.tensor2d(inputs.x, [matmulSize, matmulSize]);
  return {
    step() {
      const product: tf.Tensor2D = tf.matMul(left, right);
      right.dispose();
      right = product;
    },
    async sync() {
      const corner = tf.slice(right, [0, 0], [1, 1]);
      const [value] = await corner.data();
      corner.dispose();
      return value;
    },
  };
}

function startTraining({ images, labels, parameters }: Inputs["resnet8"]): Work {
  const weights = new Map<string, tf.Variable>();
  for (const { name, shape, values } of parameters) {
    weights.set(name, tf.tidy(() => tf.variable(toTfjs(tf.tensor(values, shape)), true, name)));
  }
  const running = new Map<string, { mean: tf.Variable; variance: tf.Variable }>();
  for (const { norm, outputs } of convolutions) {
    running.set(norm, {
      mean: tf.variable(tf.zeros([outputs]), false),
      variance: tf.variable(tf.ones([outputs]), false),
    });
  }
  const input = tf.tensor4d(images, [batchSize, imageSize, imageSize, 1]);
  const target = tf.oneHot(tf.tensor1d(labels, "int32"), classes);
  const optimiser = tf.train.momentum(learningRate, momentum);
  const get = (name: string) => weights.get(name)!;
  const ops: Operations<tf.Tensor4D | tf.Tensor2D> = {
    convolve: (x, { name, stride, kernel }) =>
      tf.conv2d(x as tf.Tensor4D, get(`${name}.weight`) as tf.Tensor as tf.Tensor4D, stride, (kernel - 1) / 2),
    normalise(x, norm) {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      const state = running.get(norm)!;
      for (const [old, now] of [[state.mean, mean], [state.variance, variance]] as [tf.Variable, tf.Tensor][]) {
        old.assign(tf.add(old, tf.mul(tf.sub(now, old), normMomentum)));
      }
      const [scale, offset] = [get(`${norm}.weight`), get(`${norm}.bias`)] as tf.Tensor[] as tf.Tensor1D[];
      return tf.batchNorm(x as tf.Tensor4D, mean as tf.Tensor1D, variance as tf.Tensor1D, offset, scale, normEpsilon);
    },
    relu: (x) => tf.relu(x),
    add: (x, y) => tf.add(x, y),
    pool: (x) => tf.mean(x, [1, 2]),
    classify: (x) => tf.add(tf.matMul(x as tf.Tensor2D, get("fc.weight") as tf.Tensor as tf.Tensor2D), get("fc.bias")),
    share: (x) => x,
  };
  const variables = [...weights.values()];
  let loss: tf.Scalar | undefined;
  return {
    step() {
      loss?.dispose();
      const { value, grads } = tf.variableGrads(
        () => tf.losses.softmaxCrossEntropy(target, resnet8<tf.Tensor4D | tf.Tensor2D>(ops, input)) as tf.Scalar,
        variables,
      );
      optimiser.applyGradients(variables.map(({ name }) => ({ name, tensor: grads[name] })));
      tf.dispose(grads);
      loss = value;
    },
    async sync() {
      return (await loss!.data())[0];
    },
  };
}

/** PyTorch's axis order to TensorFlow's: [out, in, h, w] to [h, w, in, out], [out, in] to [in, out]. */
function toTfjs(weight: tf.Tensor): tf.Tensor {
  if (weight.rank === 1) return weight;
  return tf.transpose(weight, weight.rank === 4 ? [2, 3, 1, 0] : [1, 0]);
}

// The same adapter as every other engine; without this the library would fall back to another backend.
if (!await tf.setBackend("webgpu")) throw new Error("TensorFlow.js found no WebGPU adapter");
await runEngine({
  name: "tfjs webgpu",
  version: tf.version_core,
  start: { matmul: startMatmul, resnet8: startTraining },
});
