import { Random } from "../../core/data/random.ts";
import { createOps, type Ops } from "../../core/ops/ops.ts";
import { datasOf, nameOf } from "../../core/plugin/check/inputs.ts";
import { LossRig } from "../../core/plugin/check/loss_rig.ts";
import { optionKit } from "../../core/plugin/kit.ts";
import { UserError } from "../../core/errors.ts";
import { builtins } from "../../plugins/builtins.ts";
import { type BackendCase, backends, float64 } from "../support/backends.ts";
import type { Campaign, Ending } from "./campaign.ts";

const LAYERS = { pairs: [{ student: "layer1", teacher: "layer1" }] };
const TOKENS = { pairs: [{ student: -1, teacher: -1 }] };

/** Options of the losses that cannot do without, for images and for texts. */
const OPTIONS: Readonly<Record<string, readonly [images: object, texts: object]>> = {
  "attention-transfer": [LAYERS, LAYERS],
  "cosine-hidden": [TOKENS, TOKENS],
  "hidden-mse": [LAYERS, TOKENS],
  "similarity-preserving": [LAYERS, TOKENS],
  lelp: [{ subclasses: 2 }, { subclasses: 2 }],
  patient: [TOKENS, TOKENS],
};

/** What becomes of a usual number `x`, the `i`-th of rows of `width`. */
const FILLS: Readonly<Record<string, (x: number, i: number, width: number) => number>> = {
  "as they are": (x) => x,
  zeros: () => 0,
  constant: () => 3,
  "the same in every row": (_, i, width) => Math.sin(i % width),
  "a row of zeros": (x, i, width) => i < width ? 0 : x,
  large: (x) => 1e3 * x,
  "one class alone": (_, i, width) => i % width === 0 ? 1e3 : -1e3,
  "another class alone": (_, i, width) => i % width === 1 ? 1e3 : -1e3,
  tiny: (x) => 1e-30 * x,
  denormal: (x) => 1e-42 * x,
  "with a NaN": (x, i) => i === 0 ? NaN : x,
  "with an infinity": (x, i) => i === 0 ? Infinity : x,
  "with a negative infinity": (x, i) => i === 0 ? -Infinity : x,
};

const NOT_FINITE = /NaN|infinity/;

/** Of a value: float32, and sums of a few thousand terms. */
const TOLERANCE = 2e-3;

/** Every loss between outputs of extreme numbers: finite ones give finite values and gradients, others do not hide. */
export const losses: Campaign = {
  name: "losses",
  quick: 8,
  async trial(seed): Promise<Ending> {
    const random = new Random(seed).split("losses");
    const pick = <Item>(items: readonly Item[]) => items[random.below(items.length)];
    // One after the other, so that few trials meet most losses.
    const loss = builtins.loss[seed % builtins.loss.length];
    const data = pick(datasOf());
    const batch = pick([1, 2, 4]);
    const fills = { student: pick(Object.keys(FILLS)), teacher: pick(Object.keys(FILLS)) };
    const given = OPTIONS[loss.name]?.[data.text ? 1 : 0] ?? {};
    const options = loss.options(optionKit).parse(given);
    const what = `${loss.name}, ${nameOf(data)}, ${batch} examples, student ${fills.student}, teacher ${fills.teacher}`;

    const on = async (backendCase: BackendCase): Promise<Step | "refused"> => {
      const backend = await backendCase.open();
      try {
        const ops = createOps(backend);
        const rig = await LossRig.open(ops, loss, options, { data, batch, wider: 0 }).catch((error) => {
          if (error instanceof UserError) return null;
          throw error;
        });
        if (!rig) return "refused";
        await fill(ops, rig, fills);
        return await stepOf(rig);
      } finally {
        await backend.close();
      }
    };
    const expected = await on(float64);
    if (expected === "refused") return "refused";
    const broken = NOT_FINITE.test(fills.student + fills.teacher);
    for (const backendCase of [float64, ...backends].filter(({ available }) => available)) {
      const actual = backendCase === float64 ? expected : await on(backendCase);
      if (actual === "refused") throw new Error(`${what}: refused on ${backendCase.name} alone`);
      if (!broken && !(Number.isFinite(actual.value) && actual.finite)) {
        throw new Error(`${what}: on ${backendCase.name} value ${actual.value}, gradients finite: ${actual.finite}`);
      }
      if (!agree(actual, expected)) {
        throw new Error(`${what}: ${actual.value} on ${backendCase.name}, ${expected.value} in float64`);
      }
    }
    return "fine";
  },
};

interface Step {
  readonly value: number;
  /** Whether all gradients are. */
  readonly finite: boolean;
}

async function fill(ops: Ops, rig: LossRig, fills: Readonly<Record<"student" | "teacher", string>>): Promise<void> {
  for (const [name, tensor] of rig.given) {
    const numberOf = FILLS[name.startsWith("student") ? fills.student : fills.teacher];
    const width = tensor.shape.at(-1)!;
    // Attention is a distribution: never below 0 nor above 1, and not a number at most.
    const bounded = (x: number) => name.includes("attention") ? Math.min(Math.abs(x), 1) : x;
    const numbers = Float64Array.from(await tensor.read(), (x, i) => bounded(numberOf(x, i, width)));
    ops.device.backend.write(tensor.view, numbers);
  }
}

async function stepOf(rig: LossRig): Promise<Step> {
  const { value, gradients } = await rig.step();
  const [[number]] = value.values();
  return { value: number, finite: [...gradients.values()].every((numbers) => numbers.every(Number.isFinite)) };
}

function agree({ value }: Step, expected: Step): boolean {
  if (!Number.isFinite(expected.value)) return !Number.isFinite(value);
  return Math.abs(value - expected.value) <= TOLERANCE * Math.max(1, Math.abs(expected.value));
}
