import { join } from "node:path";
import { CHECKOUT } from "../support/task.ts";

/** The rooms whose tests say that a WebGPU implementation computes what it should. */
export const ALL_ROOMS: readonly string[] = [
  "tests/core/autograd_test.ts",
  "tests/core/device_test.ts",
  "tests/core/backend/program_test.ts",
  "tests/core/backend/cpu/heap_test.ts",
  "tests/core/backend/cpu/wasm/channels_test.ts",
  "tests/core/backend/cpu/wasm/conv2d_test.ts",
  "tests/core/backend/cpu/wasm/gemm_test.ts",
  "tests/core/backend/cpu/wasm/transformer_test.ts",
  "tests/core/backend/webgpu",
  "tests/core/ops",
  "tests/core/kernels",
  "tests/core/contract",
  "tests/core/linalg",
  "tests/core/mpo",
  "tests/core/replay",
  "tests/core/nn",
  "tests/core/distill/training/training_step_test.ts",
  "tests/core/distill/training/replay_test.ts",
  "tests/plugins/losses",
];

/** Those of the kernels that hardware has for itself: products, convolutions, rows, singular values. */
export const KERNEL_ROOMS: readonly string[] = [
  "tests/core/ops/ops_test.ts",
  "tests/core/kernels/conv2d_test.ts",
  "tests/core/kernels/gemm_test.ts",
  "tests/core/kernels/strips_test.ts",
  "tests/core/linalg/device_svd_test.ts",
  "tests/core/distill/training/training_step_test.ts",
];

/** The test files of rooms, by their paths in the checkout. */
export async function filesOf(rooms: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  const visit = async (path: string): Promise<void> => {
    if (path.endsWith("_test.ts")) files.push(path);
    if (path.endsWith(".ts")) return;
    for await (const { name } of Deno.readDir(join(CHECKOUT, path))) {
      await visit(`${path}/${name}`);
    }
  };
  for (const room of rooms) await visit(room);
  return files.sort();
}
