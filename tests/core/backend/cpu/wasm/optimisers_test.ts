import assert from "node:assert/strict";
import { createMemory, loadKernels } from "../../../../../core/backend/cpu/wasm/load.ts";
import type { WasmRuntime } from "../../../../../core/backend/cpu/wasm_runtime.ts";
import { adamwKernel, scaledAdamwKernel, scaledSgdKernel, sgdKernel } from "../../../../../core/kernels/optimisers.ts";
import { squaredNormKernel } from "../../../../../core/kernels/squared_sums.ts";
import { Arena, BINARIES, random } from "./arena.ts";

const adamw = { rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
const sgd = { rate: 0.1, momentum: 0.9, weightDecay: 0.01 };

/** Steps by name: the kernel, its parameters, and the tensors that it changes. */
const STEPS = {
  "adamw": [adamwKernel, { ...adamw, correction1: 0.19, correction2: 0.002 }, ["parameter", "mean", "square"]],
  "scaled adamw": [
    scaledAdamwKernel,
    { ...adamw, step: 4, logBeta1: Math.log(0.9), logBeta2: Math.log(0.999) },
    ["parameter", "mean", "square"],
  ],
  "sgd": [sgdKernel, { ...sgd, nesterov: 0 }, ["parameter", "velocity"]],
  "sgd with Nesterov's momentum": [sgdKernel, { ...sgd, nesterov: 1 }, ["parameter", "velocity"]],
  "scaled sgd": [scaledSgdKernel, { ...sgd, nesterov: 0 }, ["parameter", "velocity"]],
} as const;

const LENGTHS = [0, 1, 2, 3, 5, 16, 127];

/** Scratch memory between others, for a kernel that is asked to leave those as they are. */
function runtimeOn(arena: Arena, bytes: number): WasmRuntime {
  const { pointer } = arena.take(bytes / 4 + 1);
  return {
    kernels: arena.kernels,
    scratch(wanted) {
      assert.ok(wanted <= bytes);
      return Math.ceil(pointer / 8) * 8;
    },
  };
}

for (const [binary, compiled] of BINARIES) {
  for (const [name, [kernel, parameters, changed]] of Object.entries(STEPS)) {
    Deno.test(`a step of ${name} (${binary}) gives the bits of the plain loop`, () => {
      for (const size of LENGTHS) {
        const arena = new Arena(loadKernels(createMemory(4000), compiled));
        const wasm = runtimeOn(arena, 80);
        // Squares are none below 0, and a scaled loss has the steps that it skipped behind its factor.
        const numbers = Object.entries({
          gradient: size,
          gradientScale: 2,
          parameter: size,
          mean: size,
          square: size,
          velocity: size,
        })
          .map(([name, length], seed) =>
            [name, random(length, seed + 1).map((x) => name === "gradient" ? x : Math.abs(x))] as const
          );
        const plain = Object.fromEntries(numbers.map(([name, values]) => [name, values.slice()]));
        const inPlace = Object.fromEntries(
          numbers.map(([name, values]) => [name, arena.take(values.length, values).values]),
        );
        for (let step = 0; step < 2; step++) {
          kernel.cpu(plain as never, { size, ...parameters } as never, null);
          kernel.cpu(inPlace as never, { size, ...parameters } as never, wasm);
        }
        for (const name of changed) assert.deepEqual(inPlace[name], plain[name], `${name} of ${size}`);
        assert.deepEqual(inPlace.gradient, plain.gradient);
        arena.assertUntouched();
      }
    });
  }

  Deno.test(`the squared norm (${binary}) is the sum in float64`, () => {
    for (const size of [...LENGTHS, 4095, 4096, 4097, 10_001]) {
      const arena = new Arena(loadKernels(createMemory(60_000), compiled));
      const wasm = runtimeOn(arena, 80);
      const values = random(size, 3), expected = values.reduce((sum, x) => sum + x * x, 0);
      const input = arena.take(size, values).values;
      const output = new Float64Array(64).fill(9);
      squaredNormKernel.cpu({ input, output }, { size, count: 64, factor: 0.5 }, wasm);
      assert.ok(Math.abs(output[0] - expected / 2) <= 1e-12 * expected, `${size}: ${output[0]} for ${expected / 2}`);
      assert.ok(output.subarray(1).every((part) => part === 0));
      arena.assertUntouched();
    }
  });
}
