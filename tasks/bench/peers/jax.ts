/**
 * jax-js: `deno run tasks/bench/peers/jax.ts matmul|resnet8 webgpu|wasm`.
 *
 * On WebGPU the whole training step, update included, is one `jit`, as the library recommends: a steady step takes a
 * fifth less time so. On WebAssembly `jit` makes a step a third slower, so it runs without. (Each measured on two
 * cores and a software adapter; first steps differ little.) Layout NCHW, the only one its convolution has.
 */
import {
  type Array,
  blockUntilReady,
  defaultDevice,
  type Device,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "npm:@jax-js/jax@0.1.25";
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

type Arrays = Record<string, Array>;

function startMatmul(inputs: Inputs["matmul"]): Work {
  const a = np.array(inputs.a, { shape: [matmulSize, matmulSize] });
  let x = np.array(inputs.x, { shape: [matmulSize, matmulSize] });
  return {
    step() {
      x = np.matmul(a.ref, x);
    },
    async sync() {
      return (await x.ref.slice(0, 0).data())[0];
    },
  };
}

/** Network and loss; it consumes its arguments, as everywhere in this library. */
function forward(weights: Arrays, input: Array, target: Array): [loss: Array, statistics: Arrays] {
  const statistics: Arrays = {};
  const ops: Operations<Array> = {
    convolve(x, { name, stride, kernel }) {
      const padding: [number, number] = [(kernel - 1) / 2, (kernel - 1) / 2];
      return lax.convGeneralDilated(x, weights[`${name}.weight`], [stride, stride], [padding, padding]);
    },
    normalise(x, norm) {
      const mean = np.mean(x.ref, [0, 2, 3], { keepdims: true });
      const centred = x.sub(mean.ref);
      const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
      statistics[`${norm}.mean`] = lax.stopGradient(mean.reshape([-1]));
      statistics[`${norm}.variance`] = lax.stopGradient(variance.ref.reshape([-1]));
      const scale = weights[`${norm}.weight`].reshape([-1, 1, 1]);
      const offset = weights[`${norm}.bias`].reshape([-1, 1, 1]);
      return centred.div(np.sqrt(variance.add(normEpsilon))).mul(scale).add(offset);
    },
    relu: (x) => nn.relu(x),
    add: (x, y) => x.add(y),
    pool: (x) => np.mean(x, [2, 3]),
    classify: (x) => np.matmul(x, weights["fc.weight"].transpose()).add(weights["fc.bias"]),
    share: (x) => x.ref,
  };
  const logProbabilities = nn.logSoftmax(resnet8(ops, input));
  return [logProbabilities.mul(target).sum().mul(-1 / batchSize), statistics];
}

/** One step of SGD with momentum. */
function train(weights: Arrays, velocity: Arrays, running: Arrays, input: Array, target: Array) {
  const [[loss, statistics], gradients] = valueAndGrad(forward, { hasAux: true })(tree.ref(weights), input, target);
  const next = { loss, weights: {} as Arrays, velocity: {} as Arrays, running: {} as Arrays };
  for (const name in weights) {
    next.velocity[name] = velocity[name].mul(momentum).add(gradients[name]);
    next.weights[name] = weights[name].sub(next.velocity[name].ref.mul(learningRate));
  }
  for (const name in running) {
    next.running[name] = running[name].mul(1 - normMomentum).add(statistics[name].mul(normMomentum));
  }
  return next;
}

function startTraining({ images, labels, parameters }: Inputs["resnet8"]): Work {
  let weights: Arrays = {}, velocity: Arrays = {}, running: Arrays = {};
  for (const { name, shape, values } of parameters) {
    weights[name] = np.array(values, { shape });
    velocity[name] = np.zeros(shape);
  }
  for (const { norm, outputs } of convolutions) {
    running[`${norm}.mean`] = np.zeros([outputs]);
    running[`${norm}.variance`] = np.ones([outputs]);
  }
  const input = np.array(images, { shape: [batchSize, 1, imageSize, imageSize] });
  const target = nn.oneHot(np.array(labels), classes);
  const step = defaultDevice() === "webgpu" ? jit(train) : train;
  let loss: Array | undefined;
  return {
    step() {
      loss?.dispose();
      ({ loss, weights, velocity, running } = step(weights, velocity, running, input.ref, target.ref));
    },
    async sync() {
      // It computes what is asked for, also within one jit: reading the loss alone leaves out gradients and update.
      const [[value]] = await Promise.all([loss!.ref.data(), blockUntilReady([weights, running])]);
      return value;
    },
  };
}

const device = Deno.args[1] as Device;
if (!(await init(device)).includes(device)) throw new Error(`jax-js found no device for ${device}`);
defaultDevice(device);
await runEngine({
  name: `jax-js ${device}`,
  version: "0.1.25",
  start: { matmul: startMatmul, resnet8: startTraining },
});
