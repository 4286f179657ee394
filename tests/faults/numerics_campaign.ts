import { join } from "node:path";
import { Random } from "../../core/data/random.ts";
import { TrainingFailure } from "../../core/distill/stops.ts";
import { DeviceError, UserError } from "../../core/errors.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { freshWeights } from "../../core/plugin/parameters.ts";
import { writeSafetensors } from "../../core/safetensors.ts";
import { resnet } from "../../plugins/models/resnet/resnet.ts";
import { cpu, webgpu } from "../support/backends.ts";
import { imageData } from "../support/inputs.ts";
import { tinyRecipe, tinyRun, writeTinyData } from "../support/tiny_run.ts";
import type { Campaign, Ending } from "./campaign.ts";

/** What becomes of a weight; `i` is its place in its tensor. */
const WEIGHTS: Readonly<Record<string, (x: number, i: number) => number>> = {
  usual: (x) => x,
  "one NaN": (x, i) => i === 0 ? NaN : x,
  "one infinity": (x, i) => i === 1 ? Infinity : x,
  zeros: () => 0,
  huge: (x) => 1e30 * x,
  large: (x) => 100 * x,
  denormal: (x) => 1e-42 * x,
};

const PIXELS: Readonly<Record<string, (x: number, i: number) => number>> = {
  usual: (x) => x,
  black: () => 0,
  white: () => 255,
  "the same picture": (_, i) => i % 64,
  "constant features": (x, i) => i % 2 === 0 ? x : 7,
};

const LABELS: Readonly<Record<string, (label: number, i: number) => number>> = {
  usual: (label) => label,
  "one class": () => 0,
  "the last class alone": () => 2,
  "a class missing": (label) => label === 1 ? 0 : label,
  "a class once": (label, i) => i === 0 ? 2 : label % 2,
};

const LOSSES = [
  "{ use: cross-entropy }",
  "{ use: kd, temperature: 0.001 }",
  "{ use: kd, temperature: 10000 }",
  "{ use: kd }, { use: cross-entropy }",
  "{ use: dkd }",
  "{ use: dist, tau: 0.001 }",
  "{ use: logit-standardization }",
  "{ use: jensen-shannon }",
  "{ use: hard-distillation }",
  "{ use: mse-logits }",
  "{ use: relational }",
  "{ use: contrastive, negatives: 8 }",
  "{ use: kernel-transfer }",
  "{ use: lelp, subclasses: 2 }",
  "{ use: similarity-preserving, pairs: [{ student: layer3, teacher: layer3 }] }",
  "{ use: attention-transfer, pairs: [{ student: layer3, teacher: layer3 }] }",
  "{ use: hidden-mse, pairs: [{ student: layer2, teacher: layer2 }] }",
  "{ use: tensor-alignment }, { use: kd }",
];

const SETTINGS = [
  "train.optimiser.learningRate=1e-29",
  "train.optimiser.learningRate=1e6",
  "train.optimiser.learningRate=1e5",
  "train.optimiser={ use: adamw, epsilon: 1e-30 }",
  "train.optimiser={ use: adamw, learningRate: 1e6 }",
  "train.optimiser.weightDecay=1e3",
  "train.clipGradientNorm=1e-30",
  "train.replay=false",
  "losses[0].weight=0",
  "losses[0].weight=1e6",
  "train.dropLast=true",
  "student.overParameterise=[]",
  "validation.count=0",
];

/** Tiny runs on extreme data, weights and settings: finite results, or a sentence; on webgpu as on cpu. */
export const numerics: Campaign = {
  name: "numerics",
  quick: 5,
  async trial(seed): Promise<Ending> {
    const random = new Random(seed).split("numerics");
    const pick = <Item>(items: readonly Item[]) => items[random.below(items.length)];
    const often = <Item>(items: readonly Item[]) => random.below(2) === 0 ? items[0] : pick(items);
    const train = often([96, 1, 2, 5, 17]);
    const chosen = {
      train,
      pixels: often(Object.keys(PIXELS)),
      labels: often(Object.keys(LABELS)),
      student: often(Object.keys(WEIGHTS)),
      teacher: often(Object.keys(WEIGHTS)),
      loss: pick(LOSSES),
      batchSize: pick([16, 1, 2, 1000]),
      validation: train > 20 ? 24 : 1,
      setting: often(["train.epochs=2", ...SETTINGS]),
    };
    const folder = await Deno.makeTempDir();
    try {
      await writeTinyData(folder, train, often([24, 1]), {
        pixel: PIXELS[chosen.pixels],
        label: LABELS[chosen.labels],
      });
      for (const who of ["student", "teacher"] as const) {
        await writeWeights(join(folder, `${who}.safetensors`), random.split(who), WEIGHTS[chosen[who]]);
      }
      const on = async (backendCase: typeof cpu) => {
        const backend = await backendCase.open();
        try {
          return await endOf(folder, chosen, backend);
        } finally {
          await backend.close();
        }
      };
      const result = await on(cpu);
      // Every third: a tiny run takes a software adapter some seconds.
      if (seed % 3 === 0 && webgpu.available) {
        const other = await on(webgpu);
        if (other.ending !== result.ending) {
          throw new Error(`cpu: ${result.says}; webgpu: ${other.says}; ${JSON.stringify(chosen)}`);
        }
      }
      return result.ending;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

interface Chosen {
  readonly loss: string;
  readonly batchSize: number;
  readonly validation: number;
  readonly setting: string;
}

async function endOf(folder: string, chosen: Chosen, backend: Awaited<ReturnType<typeof cpu.open>>) {
  const text = tinyRecipe.replace("losses: [{ use: cross-entropy }]", `losses: [${chosen.loss}]`).replace(
    "student:",
    "teacher: { use: resnet, depth: 8, width: 4, weights: teacher.safetensors }\nstudent:\n  weights: student.safetensors",
  );
  const overrides = [
    `validation.count=${chosen.validation}`,
    "train.epochs=2",
    `train.batchSize=${chosen.batchSize}`,
    chosen.setting,
  ];
  const what = JSON.stringify(chosen);
  try {
    const { student, teacher, losses } = await tinyRun(folder, { text, overrides, backend });
    const measured = [student.accuracy, student.loss, ...Object.values(student.metrics)];
    const numbers = [...measured, teacher?.accuracy, teacher?.loss, ...Object.values(losses)];
    if (!numbers.every(Number.isFinite)) throw new Error(`the results are ${numbers}`);
    return { ending: "fine" as const, says: `results ${numbers}` };
  } catch (error) {
    const expected = error instanceof UserError || error instanceof TrainingFailure;
    if (expected && !(error instanceof DeviceError)) return { ending: "refused" as const, says: error.message };
    const { name, message } = error as Error;
    throw new Error(`${name}: ${message} on ${backend.name}; ${what}`, { cause: error });
  }
}

async function writeWeights(file: string, random: Random, change: (x: number, i: number) => number): Promise<void> {
  const options = resnet.options(optionKit).parse({ depth: 8, width: 4 });
  const model = resnet.build(options, imageData([8, 8, 1], ["0", "1", "2"]));
  const weights = [...freshWeights(model, random)].map(([name, data]) => {
    const { shape } = model.parameters.find((parameter) => parameter.name === name)!;
    // Statistics that are no variances are another fault.
    return [name, { shape, data: name.includes("running") ? data : data.map(change) }] as const;
  });
  await writeSafetensors(file, new Map(weights));
}
