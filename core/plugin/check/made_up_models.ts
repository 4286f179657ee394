import { Random } from "../../data/random.ts";
import type { Ops } from "../../ops/ops.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import type { InputDescription } from "../dataset.ts";
import type { ForwardCall, ModelOutputs } from "../model.ts";
import { mapOutputs, type OutputShapes } from "../output_tree.ts";

/** Width of the student's layers. */
const WIDTH = 6;
const HEADS = 2;

/** Made-up outputs of a model: tensors, and their names as messages show them. */
export interface MadeUp {
  readonly outputs: ModelOutputs;
  readonly named: ReadonlyMap<string, Tensor>;
}

/**
 * Outputs as a model of this data gives them, all made of random numbers.
 *
 * @param who decides the numbers
 * @param wider how much wider its layers are than the student's; a multiple of the number of heads, 2
 */
export function madeUpOutputs(
  ops: Ops,
  data: InputDescription,
  { who, wider, batch }: { readonly who: string; readonly wider: number; readonly batch: number },
): MadeUp {
  const random = new Random(5).split(who);
  const named = new Map<string, Tensor>();
  const make = (name: string, shape: number[], number = (stream: Random) => stream.normal()): Tensor => {
    const stream = random.split(name);
    const tensor = ops.keep(ops.tensor(Float64Array.from({ length: sizeOf(shape) }, () => number(stream)), shape));
    named.set(`${who}.${name}`, tensor);
    return tensor;
  };
  const width = WIDTH + wider;
  const outputs = {
    ...logitsOf(data, batch, make),
    ...data.image ? imageLayers(batch, width, make) : textLayers(batch, data.text!.maxLength, width, make),
    pooled: make("pooled", [batch, width]),
  };
  return { outputs, named };
}

type Make = (name: string, shape: number[], number?: (stream: Random) => number) => Tensor;

function logitsOf({ task, classes, text }: InputDescription, batch: number, make: Make) {
  if (task === "regression") return { logits: make("logits", [batch, 1]) };
  if (task === "tagging") {
    return {
      logits: make("logits", [batch, text!.maxLength, classes.length]),
      transitions: make("transitions", [classes.length, classes.length]),
    };
  }
  return {
    logits: make("logits", [batch, classes.length]),
    subclassLogits: make("subclassLogits", [batch, 2 * classes.length]),
    headLogits: {
      class: make("headLogits.class", [batch, classes.length]),
      distillation: make("headLogits.distillation", [batch, classes.length]),
    },
  };
}

function imageLayers(batch: number, width: number, make: Make) {
  const shapes = { layer1: [batch, 4, 4, width], layer2: [batch, 2, 2, width] };
  const features = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, make(`features.${name}`, shape)]),
  );
  const hidden = Object.values(shapes).map((shape, layer) => make(`hidden[${layer}]`, shape));
  return { features, hidden, attention: [] };
}

function textLayers(batch: number, length: number, width: number, make: Make) {
  const layers = [0, 1];
  const perHead = [batch, HEADS, length, width / HEADS];
  return {
    features: { embeddings: make("features.embeddings", [batch, length, width]) },
    hidden: [0, 1, 2].map((layer) => make(`hidden[${layer}]`, [batch, length, width])),
    // Positive, as losses take logarithms of them; that rows add up to 1 no loss can make use of.
    attention: layers.map((layer) =>
      make(`attention[${layer}]`, [batch, HEADS, length, length], (stream) => (0.5 + stream.uniform()) / length)
    ),
    scores: layers.map((layer) => make(`scores[${layer}]`, [batch, HEADS, length, length])),
    relations: layers.map((layer) => ({
      queries: make(`relations[${layer}].queries`, perHead),
      keys: make(`relations[${layer}].keys`, perHead),
      values: make(`relations[${layer}].values`, perHead),
    })),
  };
}

/**
 * The same outputs, of which logits of whole texts depend on what the first layer gets, as they do in a model that
 * computes: for losses that ask what an answer comes from.
 *
 * @param replaceLayer is shown what the first layer gets
 */
export function following(
  ops: Ops,
  outputs: ModelOutputs,
  replaceLayer?: ForwardCall["replaceLayer"],
): ModelOutputs {
  const { features: { embeddings }, logits } = outputs;
  if (!embeddings || logits.shape.length !== 2) return outputs;
  replaceLayer?.(0, embeddings);
  const random = new Random(9);
  const [width, classes] = [embeddings.shape[2], logits.shape[1]];
  const weight = ops.tensor(Float64Array.from({ length: classes * width }, () => random.normal()), [classes, width]);
  const added = ops.linear(ops.tanh(ops.mean(embeddings, { axes: [1] })), weight);
  return { ...outputs, logits: ops.add(logits, added) };
}

/** The shapes of outputs for one example, as losses are told them. */
export function shapesOf(outputs: ModelOutputs): OutputShapes {
  // All but the transitions of a CRF are of a batch.
  return mapOutputs(outputs, ({ shape }, name) => name === "transitions" ? shape : [1, ...shape.slice(1)]);
}
