import { forwardBounds } from "../../core/assess/bounds/forward_bounds.ts";
import { falls } from "../../core/assess/bounds/crown.ts";
import { NotCovered } from "../../core/assess/bounds/network.ts";
import { CpuBackend } from "../../core/backend/cpu/cpu_backend.ts";
import { Random } from "../../core/data/random.ts";
import { UserError } from "../../core/errors.ts";
import { imagesIn, Opened, someBox } from "../core/assess/bounds/networks.ts";
import { built, images } from "../core/onnx/onnx_models.ts";
import type { Campaign, Ending } from "./campaign.ts";

const ACTIVATIONS = ["relu", "relu", "relu", "relu6", "hard-swish", "none", "gelu"];

/** Points in the box of each trial. */
const POINTS = 300;

/** Random networks: whatever they compute within a random box lies in their bounds, by all three ways to find them. */
export const certified: Campaign = {
  name: "bounds of random networks",
  quick: 3,
  trial,
};

async function trial(seed: number): Promise<Ending> {
  const random = new Random(seed);
  const input = images(3 + random.below(6), 3 + random.below(6), 1 + random.below(3));
  const model = (() => {
    try {
      return random.below(3) === 0 ? residual(random, input) : stack(random, input);
    } catch (error) {
      // Windows that do not fit, or groups.
      if (error instanceof UserError) return null;
      throw error;
    }
  })();
  if (!model) return "refused";
  const backend = await CpuBackend.create({ threads: 1 });
  try {
    await using opened = await Opened.on(backend, model);
    await check(opened, random, seed);
  } catch (error) {
    if (error instanceof NotCovered) return "refused";
    throw error;
  } finally {
    await backend.close();
  }
  return "fine";
}

function residual(random: Random, input: ReturnType<typeof images>) {
  const options = {
    blocks: Array.from({ length: 2 + random.below(2) }, () => 1 + random.below(2)),
    bottleneck: random.below(3) === 0,
    width: 1 + random.below(4),
    stem: ["cifar", "imagenet", "small"][random.below(3)],
    shortcut: ["projection", "padded", "padded-behind"][random.below(3)],
  };
  return built("resnet", options, input);
}

function stack(random: Random, input: ReturnType<typeof images>) {
  const pick = <One>(...from: One[]) => from[random.below(from.length)];
  const layers = Array.from({ length: 1 + random.below(4) }, () => {
    const size = 1 + random.below(3);
    const window = { size, stride: 1 + random.below(2), padding: random.below(2) };
    if (random.below(4) === 0) return { use: pick("max-pool", "average-pool"), ...window };
    return {
      use: "conv",
      channels: pick(2, 4, 6),
      ...window,
      dilation: 1 + random.below(2),
      groups: pick(1, 1, 1, 2),
      norm: pick("batch", "none"),
      activation: pick(...ACTIVATIONS),
    };
  });
  const linear = {
    use: "linear",
    width: 2 + random.below(8),
    norm: pick("batch", "none"),
    activation: pick(...ACTIVATIONS),
  };
  return built("cnn", { layers: [...layers, ...(random.below(2) === 0 ? [linear] : [])] }, input);
}

async function check(opened: Opened, random: Random, seed: number) {
  const { network, device, exact, built: model, classes } = opened;
  const size = model.input.image!.size.reduce((a, b) => a * b);
  const image = Float32Array.from({ length: size }, () => 1.5 * random.normal());
  const anchor = await opened.anchor({ data: image, shape: [1, ...model.input.image!.size] });
  const start = anchor.of(network.logits);
  // A random function of the logits, and single ones.
  const weigh = Array.from({ length: classes }, () => random.below(5) - 2);
  const functions = [weigh, ...Array.from({ length: classes }, (_, c) => weigh.map((_, other) => other === c ? 1 : 0))];
  const data = Float32Array.from(functions.flat());
  const box = someBox(size, seed + 1, 10 ** (-4 * random.uniform()));
  const { logits } = await imagesIn(exact, model, image, box, POINTS, seed);
  for (const zonotopes of [false, true]) {
    using bounds = await forwardBounds(device, anchor, box, zonotopes);
    const { lower, upper } = bounds.boxes.get(network.logits)!;
    const most = await falls(device, anchor, bounds, { data, count: functions.length });
    for (let point = 0; point < POINTS; point++) {
      const change = Array.from({ length: classes }, (_, c) => logits[point * classes + c] - start[c]);
      const outside = change.findIndex((one, c) => !(one >= -lower[c] && one <= upper[c]));
      if (outside >= 0) {
        throw new Error(
          `Logit ${outside} changes by ${change[outside]}: [-${lower[outside]}, ${upper[outside]}] is bounded`,
        );
      }
      functions.forEach((f, index) => {
        const fall = -f.reduce((sum, factor, c) => sum + factor * change[c], 0);
        if (!(fall <= most[index] + 1e-12)) throw new Error(`Function ${f} falls by ${fall} of at most ${most[index]}`);
      });
    }
  }
}
