import { Random } from "../../data/random.ts";
import { UserError } from "../../errors.ts";
import { breathe } from "../../evaluate/breathe.ts";
import { infer } from "../../evaluate/predictions.ts";
import type { Weights } from "../../nn/weights.ts";
import { NotTraceable, traceModel } from "../../onnx/trace.ts";
import type { Ops } from "../../ops/ops.ts";
import { upload } from "../../plugin/batch.ts";
import type { Batch, HostTensor, InputDescription } from "../../plugin/dataset.ts";
import type { Model } from "../../plugin/model.ts";
import type { Tensor } from "../../tensor.ts";
import { logitsOfVectors, tokenTable } from "../token_vectors.ts";
import { logitGame, withPatches, withWords } from "./games.ts";
import { integratedGradients } from "./integrated_gradients.ts";
import { explainedValue, type LrpSettings, propagate } from "./lrp/lrp.ts";
import { gridOf, type Patches, patchesOf } from "./patches.ts";
import { attentionRollout } from "./rollout.ts";
import { TraceRun } from "./run_trace.ts";
import { exactShapley, kernelShap, MOST_EXACT } from "./shapley.ts";
import { byWord, type Word } from "./words.ts";

/** A model and a batch whose answers are explained. */
export interface ExplainCall {
  readonly ops: Ops;
  readonly model: Model;
  readonly weights: Weights;
  readonly input: InputDescription;
  readonly batch: Batch<HostTensor>;
  /** The class of each example whose logit is explained. */
  readonly targets: readonly number[];
  /** Of texts, the words of each; `null` of images. */
  readonly words: readonly (readonly Word[])[] | null;
  /** Of texts, the token that stands for a word that is not there; `null` of images. */
  readonly blank: number | null;
  readonly settings: ExplainSettings;
}

/** How answers are explained. */
export interface ExplainSettings {
  /** How relevance goes back; with the rule of the first layer and its bounds where images are explained. */
  readonly lrp: Pick<LrpSettings, "rule" | "first" | "epsilon">;
  /** Steps of integrated gradients. */
  readonly steps: number;
  /** Patches of an image for Shapley values, down and across. */
  readonly patches: number;
  /** Sets of parts that are looked at for Shapley values, beside two for each, where there are more than 12 parts. */
  readonly sets: number;
  /** Of the pixels that are not there, from 0 to 1 or the data set's mean: where integrated gradients begin, too. */
  readonly background: "mean" | "black" | "white";
  readonly batchSize: number;
  readonly seed: number;
}

/** Why a batch was answered as it was. */
export interface Explanation {
  /** Of each example the numbers of its parts: pixels row by row, patches row by row, or words. */
  readonly values: readonly Float64Array[];
  /** Of images in patches, which those are; `null`: of each pixel, or of words. */
  readonly patches: Patches | null;
  /**
   * Of each example by how much its numbers do not add up to what they must: `f` is the logit (LRP, with what biases
   * took), or how much it is above that of the baseline. Empty of a method without such a rule.
   */
  readonly errors: readonly { readonly sum: number; readonly f: number }[];
}

/** A way to explain answers. @throws UserError, in a sentence, for a model that it cannot explain */
export type Method = (call: ExplainCall) => Promise<Explanation>;

/** Layer-wise relevance propagation. */
export const explainByLrp: Method = async ({ ops, model, weights, input, batch, targets, words, settings }) => {
  const trace = traced(model, input);
  const isOfImages = explainedValue(trace).source.kind === "input";
  const bounds = input.image && boundsOf(input);
  const lrp: LrpSettings = { ...settings.lrp, first: isOfImages ? settings.lrp.first : "same", bounds };
  const tensors = ops.scope(() => {
    const run = new TraceRun(ops, trace, weights, upload(ops, batch));
    const logits = run.get(trace.logits);
    const relevance = ops.multiply(logits, oneHot(ops, logits.shape, targets));
    const shared = propagate(ops, run, relevance, lrp);
    return [perPart(ops, shared.relevance), shared.biases, ops.sum(relevance, { axes: [1] })];
  });
  const [numbers, biases, logits] = await readAndFree(ops, tensors);
  const values = perExample(numbers, targets.length);
  const errors = values.map((own, example) => ({ sum: sumOf(own) + biases[example], f: logits[example] }));
  return { values: words ? values.map((own, example) => byWord(own, words[example])) : values, patches: null, errors };
};

/** Integrated gradients. */
export const explainByGradients: Method = async (call) => {
  const { ops, model, batch, targets, words, settings } = call;
  if (model.hostOutputs) {
    throw new UserError("Cannot explain the model by integrated gradients as another library computes it");
  }
  const tensors = ops.scope(() => {
    const given = upload(ops, batch);
    const { x, baseline, logits } = wayOf(call, given);
    const wanted = ops.tensor(targets);
    const answers = (inputs: Tensor) => ops.pick(logits(inputs), wanted);
    const gradients = integratedGradients(ops, answers, { x, baseline, steps: settings.steps });
    const change = ops.subtract(answers(x), answers(baseline));
    return [perPart(ops, gradients), change];
  });
  const [numbers, changes] = await readAndFree(ops, tensors);
  const values = perExample(numbers, targets.length);
  const errors = values.map((own, example) => ({ sum: sumOf(own), f: changes[example] }));
  return { values: words ? values.map((own, example) => byWord(own, words[example])) : values, patches: null, errors };
};

/** Shapley values of patches of images, or of words: of up to 12 exactly, else by KernelSHAP. */
export const explainByShapley: Method = async (call) => {
  const { ops, model, weights, input, batch, targets, words, blank, settings } = call;
  const played = { ops, model, weights, batchSize: settings.batchSize };
  const random = new Random(settings.seed).split("shapley");
  const [values, errors]: [Float64Array[], Explanation["errors"][number][]] = [[], []];
  const image = input.image && patchesOf(input.image.size[0], input.image.size[1], settings.patches, settings.patches);
  for (const [example, target] of targets.entries()) {
    const own = oneOf(batch, example);
    const sets = image
      ? withPatches(own.image, image, backgroundOf(input, settings.background))
      : withWords(own, words![example], blank!);
    const game = logitGame(played, target, sets);
    const parts = image ? image.count : words![example].length;
    const found = parts <= MOST_EXACT
      ? await exactShapley(parts, game)
      // So that a part alone, and all without it, are always among them: a long text wants more.
      : await kernelShap(parts, game, { sets: settings.sets + 2 * parts, random: random.split(example) });
    values.push(found.values);
    errors.push({ sum: sumOf(found.values), f: found.all - found.none });
    await breathe();
  }
  return { values, patches: image, errors };
};

/** Attention rollout: which tokens come into the class token. */
export const explainByRollout: Method = async ({ ops, model, weights, input, batch, targets, words }) => {
  if (model.hostOutputs) throw new UserError("Cannot roll out the model's attention as another library computes it");
  const layers = ops.scope(() => {
    const noSeed = () => {
      throw new Error("A model asked for a random number in evaluation");
    };
    const wanted = new Set(["attention"]);
    const { attention } = model.forward({
      ops,
      weights,
      batch: upload(ops, batch),
      training: false,
      randomSeed: noSeed,
      wanted,
    });
    return attention.map((layer) => ops.reshape(layer, layer.shape));
  });
  if (layers.length === 0) throw new UserError("Cannot roll out the model's attention as it has none");
  const shapes = layers.map(({ shape }) => shape);
  const numbers = await readAndFree(ops, layers);
  const shares = attentionRollout(shapes.map((shape, layer) => ({ shape, data: numbers[layer] })));
  if (words) return { values: shares.map((own, example) => byWord(own, words[example])), patches: null, errors: [] };
  const [height, width] = input.image!.size;
  // Learned tokens, such as the one for the class, stand before those of the patches.
  const tokens = shares[0].length;
  for (let learned = 0; learned <= MOST_LEARNED && learned < tokens; learned++) {
    const grid = gridOf(tokens - learned, height, width);
    if (!grid) continue;
    const values = shares.map((own) => own.slice(learned));
    return { values, patches: patchesOf(height, width, ...grid), errors: [] };
  }
  throw new UserError(
    `Cannot show the model's attention on images of ${height} x ${width} as its ${tokens} tokens are no grid of patches ` +
      `for ${targets.length} examples`,
  );
};

/** The ways in which answers are explained, in the order in which they are shown. */
export const METHODS = {
  lrp: { title: "LRP", explain: explainByLrp },
  integratedGradients: { title: "integrated gradients", explain: explainByGradients },
  shapley: { title: "Shapley values", explain: explainByShapley },
  rollout: { title: "attention rollout", explain: explainByRollout },
} as const satisfies Readonly<Record<string, { readonly title: string; readonly explain: Method }>>;

/** One of them. */
export type MethodName = keyof typeof METHODS;

/** The most tokens before those of patches: for the class, and for distillation. */
const MOST_LEARNED = 2;

/** @throws UserError for a model whose forward pass no graph can say */
function traced(model: Model, input: InputDescription) {
  if (model.hostOutputs) throw new UserError("Cannot explain the model by LRP as another library computes it");
  try {
    return traceModel(model, input);
  } catch (error) {
    if (!(error instanceof NotTraceable)) throw error;
    throw new UserError(`Cannot explain the model by LRP as ${error.message}`, { cause: error });
  }
}

/** What pixels of each channel lie between, as the model takes them. */
function boundsOf(input: InputDescription) {
  return { low: backgroundOf(input, "black"), high: backgroundOf(input, "white") };
}

/** What a pixel that is not there is for the model. */
export function backgroundOf({ image }: InputDescription, background: ExplainSettings["background"]): number[] {
  const { mean, std } = image!.normalise;
  const pixel = { black: 0, white: 1 };
  return mean.map((own, channel) => background === "mean" ? 0 : (pixel[background] - own) / std[channel]);
}

/** From where integrated gradients begin, where they end, and the logits on the way. */
function wayOf({ ops, model, weights, input, words, blank, settings }: ExplainCall, given: Batch<Tensor>) {
  if (input.image) {
    const { image: x } = given;
    return {
      x,
      baseline: ops.expand(ops.tensor(backgroundOf(input, settings.background)), x.shape),
      logits: (image: Tensor) => infer(ops, model, weights, { ...given, image }).logits,
    };
  }
  const table = tokenTable(ops, model, weights, given, "Cannot explain the model by the embeddings of its tokens");
  const [size, length] = given.tokens.shape;
  // Special tokens and padding stay as they are.
  const places = new Float32Array(size * length);
  words!.forEach((own, example) =>
    own.forEach(({ tokens }) => tokens.forEach((place) => places[example * length + place] = 1))
  );
  const isWord = ops.tensor(places, [size, length, 1]);
  const x = ops.embedding(table, given.tokens);
  const blanks = ops.embedding(table, ops.full([size, length], blank!));
  return {
    x,
    baseline: ops.add(x, ops.multiply(isWord, ops.subtract(blanks, x))),
    logits: (embeddings: Tensor) => logitsOfVectors(ops, { model, weights }, given, () => embeddings),
  };
}

function oneHot(ops: Ops, shape: readonly number[], targets: readonly number[]): Tensor {
  const data = new Float32Array(shape[0] * shape[1]);
  targets.forEach((target, example) => data[example * shape[1] + target] = 1);
  return ops.tensor(data, shape);
}

/** The sum over channels, or over an embedding's numbers. */
const perPart = (ops: Ops, x: Tensor) => ops.sum(x, { axes: [-1] });

async function readAndFree(ops: Ops, tensors: readonly Tensor[]) {
  const numbers = await ops.read(tensors);
  tensors.forEach((tensor) => tensor.dispose());
  return numbers;
}

function perExample(numbers: ArrayLike<number>, examples: number): Float64Array[] {
  const each = numbers.length / examples;
  return Array.from(
    { length: examples },
    (_, example) => Float64Array.from({ length: each }, (_, at) => numbers[example * each + at]),
  );
}

const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);

/** One example of a batch, a text without the padding behind it. */
function oneOf(batch: Batch<HostTensor>, example: number): Batch<HostTensor> {
  const one = ({ data, shape }: HostTensor): HostTensor => {
    const size = data.length / shape[0];
    return { data: data.slice(example * size, (example + 1) * size), shape: [1, ...shape.slice(1)] };
  };
  const entries = Object.entries(batch).map(([name, tensor]) => [name, one(tensor)] as const);
  const own = Object.fromEntries(entries);
  if (!own.mask) return own;
  const length = own.mask.data.lastIndexOf(1) + 1;
  const cut = ({ data }: HostTensor): HostTensor => ({ data: data.slice(0, length), shape: [1, length] });
  const ofTokens = entries.map(([name, tensor]) =>
    [name, ["tokens", "types", "mask"].includes(name) ? cut(tensor) : tensor] as const
  );
  return Object.fromEntries(ofTokens);
}
