import { join } from "node:path";
import "../../core/deno/install.ts";
import type { Backend } from "../../core/backend/backend.ts";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { distill, type DistillOptions } from "../../core/distill/distill.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";
import { Random } from "../../core/data/random.ts";
import { recipeSchema } from "../../core/recipe/schema.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { builtins } from "../../plugins/builtins.ts";

/** IDX bytes of unsigned bytes. */
function idxBytes(dimensions: readonly number[], values: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * dimensions.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, 8, dimensions.length]);
  dimensions.forEach((length, axis) => view.setUint32(4 + 4 * axis, length));
  bytes.set(values, 4 + 4 * dimensions.length);
  return bytes;
}

/** How tiny data differ from the usual: a pixel of the `i`-th of all pixels, a label of the `i`-th example. */
export interface TinyChange {
  readonly pixel?: (value: number, i: number) => number;
  readonly label?: (value: number, i: number) => number;
}

/** Writes a data set of 8x8 images in three classes that differ by where they are bright. */
export async function writeTinyData(
  folder: string,
  train = 96,
  test = 24,
  { pixel = (value) => value, label = (value) => value }: TinyChange = {},
): Promise<void> {
  const random = new Random(5);
  for (const [name, count] of [["train", train], ["test", test]] as const) {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
    const pixels = Uint8Array.from({ length: count * 64 }, (_, i) => {
      const row = Math.floor((i % 64) / 8);
      const bright = Math.floor(row / 3) === labels[Math.floor(i / 64)];
      return (bright ? 130 : 20) + random.below(100);
    });
    await Deno.writeFile(join(folder, `${name}-images`), idxBytes([count, 8, 8], pixels.map(pixel)));
    await Deno.writeFile(join(folder, `${name}-labels`), idxBytes([count], labels.map(label)));
  }
}

/** A recipe over the tiny data; more lines and overrides vary it. */
export const tinyRecipe = `
name: tiny
seed: 3
validation: { count: 24 }
dataset:
  use: idx
  train: { images: train-images, labels: train-labels }
  test: { images: test-images, labels: test-labels }
student:
  use: resnet
  depth: 8
  width: 4
  overParameterise: [{ layers: "layer*.conv*.weight", cores: 3 }]
losses: [{ use: cross-entropy }]
train: { epochs: 5, batchSize: 16, logEvery: 5, optimiser: { use: sgd, learningRate: 0.05 } }
`;

/** What makes the tiny run's numbers grow beyond all bounds in a few steps; each setting alone is one of the sane. */
export const DIVERGING = "train.optimiser={ use: sgd, learningRate: 1000, weightDecay: 100 }";

/** Runs `body` in a temporary folder that holds the tiny data. */
export async function withTinyData(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await writeTinyData(folder);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** How a tiny run differs from {@link tinyRecipe}. */
export interface TinyOptions extends Partial<Omit<DistillOptions, "backend" | "builtins">> {
  readonly text?: string;
  readonly overrides?: readonly string[];
  /** The run folder within the data's folder. */
  readonly output?: string;
  readonly backend?: Backend;
}

/** Runs the tiny recipe; the cpu backend unless another is given. */
export async function tinyRun(
  folder: string,
  { text = tinyRecipe, overrides = [], output = "run", backend, ...options }: TinyOptions = {},
): Promise<RunSummary> {
  const recipe = parseChecked(text, join(folder, "tiny.yaml"), recipeSchema, {
    overrides: [{ path: ["output"], value: join(folder, output), label: "test" }, ...overrides],
  });
  const used = backend ?? await CpuBackend.create();
  try {
    return await distill(recipe, { backend: used, builtins, ...options });
  } finally {
    if (!backend) await used.close();
  }
}
