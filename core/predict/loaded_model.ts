import { expectArguments } from "../arguments.ts";
import { showValue } from "../visible.ts";
import { UserError } from "../errors.ts";
import { leastLogit, USUAL_THRESHOLD } from "../evaluate/metrics/several_labels.ts";
import { inferOn, predictionsOf } from "../evaluate/predictions.ts";
import type { FrozenWeights } from "../nn/frozen_weights.ts";
import type { Ops } from "../ops/ops.ts";
import { batchFor, upload } from "../plugin/batch.ts";
import type { Batch, HostTensor, ImageInput, InputDescription } from "../plugin/dataset.ts";
import type { Model, ModelOutputs } from "../plugin/model.ts";
import { mapOutputs } from "../plugin/output_tree.ts";
import { Tensor } from "../tensor.ts";
import { imageBatches } from "./inputs.ts";
import type { FolderTokenizer, ImageInputs, ModelInputs, TextInputs, WordInputs } from "./inputs.ts";

/** What a model says of images or texts, one entry for each. */
export interface Predictions {
  /**
   * A number for each class, before the softmax, of several labels before the sigmoid; for a regression the one number
   * that is answered. Of a class they are divided by the temperature that the folder's config.json states.
   */
  readonly logits: readonly Float32Array[];
  /** The number of the class; none for a regression and several labels. */
  readonly classes: readonly number[];
  /** The name of the class; none for a regression and several labels. */
  readonly labels: readonly string[];
  /** Of a model of several labels the names of all classes at least as probable as the threshold; else none. */
  readonly labelSets: readonly (readonly string[])[];
  /** Of texts the indices of those whose end the model has not seen, as they have more tokens than it takes. */
  readonly cut: readonly number[];
}

/** What a tagger says of a sentence, one entry for each word; words beyond the most tokens of the model have none. */
export interface TaggedWords {
  /** A number for each tag, before the softmax or the CRF. */
  readonly logits: readonly Float32Array[];
  /** The number of the tag. */
  readonly classes: readonly number[];
  /** The name of the tag. */
  readonly labels: readonly string[];
  /** Whether the tags were chosen together, as by a CRF: not each by its largest logit. */
  readonly together: boolean;
}

/** How a model is run. */
export interface PredictOptions {
  /** Images or texts that are computed at once; 64 by default. */
  readonly batchSize?: number;
  /** The probability from which something is of a class, where it may be of several; 0.5 by default. */
  readonly threshold?: number;
}

/** What a loaded model consists of. */
interface Parts {
  readonly ops: Ops;
  readonly folder: string;
  readonly architecture: string;
  readonly model: Model;
  readonly weights: FrozenWeights;
  readonly input: InputDescription;
  readonly normalise: ImageInput["normalise"] | null;
  readonly tokenizer: FolderTokenizer | null;
  /** What logits are divided by. */
  readonly temperature: number;
  /** Where the model computes elsewhere; `null`: here. */
  readonly exported: Disposable | null;
}

const BATCH_SIZE = 64;

/** A model of a folder with its weights on the device; disposing of it frees them. */
export class LoadedModel implements Disposable {
  readonly #opened: Parts;
  #disposed = false;

  /** @internal */
  constructor(parts: Parts) {
    this.#opened = parts;
  }

  get #parts(): Parts {
    if (this.#disposed) throw new RangeError("Cannot use a model that was disposed of: open it anew");
    return this.#opened;
  }

  /** What it computes with. */
  get ops(): Ops {
    return this.#parts.ops;
  }

  /** Name of the model's plug-in. */
  get architecture(): string {
    return this.#parts.architecture;
  }

  /** The model itself. */
  get model(): Model {
    return this.#parts.model;
  }

  /** Its weights on the device. */
  get weights(): FrozenWeights {
    return this.#parts.weights;
  }

  /** What it takes, what it answers, and the names of its classes. */
  get input(): InputDescription {
    return this.#parts.input;
  }

  /**
   * The classes of images or texts, or the numbers that a regression answers.
   *
   * @throws UserError if the model takes something else, or tags words
   */
  async predict(
    inputs: ImageInputs | TextInputs,
    { batchSize = BATCH_SIZE, threshold = USUAL_THRESHOLD }: PredictOptions = {},
  ): Promise<Predictions> {
    const { input: { task, classes: names } } = this.#parts;
    checkInputs("predict", inputs, ["images", "texts"]);
    if (task === "tagging") {
      throw this.#refusal("to predict a class for each text", "it tags words: use tag({ words })");
    }
    if (task === "embedding") {
      throw this.#refusal(
        "to predict a class for each text",
        "it makes vectors: use embed({ texts }) of the library's openModel",
      );
    }
    checkBatchSize(batchSize);
    if (!(threshold > 0 && threshold < 1)) {
      throw new UserError(`Cannot decide at a threshold of ${threshold}: expected a probability between 0 and 1`);
    }
    const logits: Float32Array[] = [];
    const classes: number[] = [];
    const cut: number[] = [];
    for (const batch of this.#batches(inputs, batchSize, (index) => cut.push(index))) {
      const answer = await this.#answer(batch);
      logits.push(...answer.rows);
      if (task === "classification") classes.push(...answer.decided);
    }
    const least = leastLogit(threshold);
    const labelSets = task === "multi-label"
      ? logits.map((row) => names.filter((_, index) => row[index] >= least))
      : [];
    return { logits, classes, labels: this.#names(classes), labelSets, cut };
  }

  /**
   * The vectors of some texts, one for each.
   *
   * @throws UserError unless the model makes vectors of sentences, and for pairs of texts
   */
  async embed(inputs: TextInputs, { batchSize = BATCH_SIZE }: PredictOptions = {}): Promise<Float32Array[]> {
    checkInputs("embed", inputs, ["texts"]);
    const { input: { task } } = this.#parts;
    if (task !== "embedding") throw this.#refusal("to make vectors of texts", `its task is ${task}: use predict`);
    const pair = inputs.texts.find((text) => typeof text !== "string");
    if (pair) throw this.#refusal("to make a vector of a pair", "each of the two texts has one: give them one by one");
    checkBatchSize(batchSize);
    const vectors: Float32Array[] = [];
    for (const batch of this.#batches(inputs, batchSize)) vectors.push(...(await this.#answer(batch)).rows);
    return vectors;
  }

  /**
   * The tag of each word of some sentences.
   *
   * @throws UserError unless the model is a tagger
   */
  async tag(
    inputs: WordInputs,
    { batchSize = BATCH_SIZE }: PredictOptions = {},
  ): Promise<readonly TaggedWords[]> {
    checkInputs("tag", inputs, ["words"]);
    const { words } = inputs;
    if (this.#parts.input.task !== "tagging") {
      throw this.#refusal("to tag words", `its task is ${this.#parts.input.task}: use predict`);
    }
    checkBatchSize(batchSize);
    const tagged: TaggedWords[] = [];
    for (let first = 0; first < words.length; first += batchSize) {
      const { batch, places } = this.#tokenizer().wordBatch(words.slice(first, first + batchSize));
      const { rows, decided, together } = await this.#answer(batch);
      const length = rows.length / places.length;
      places.forEach((own, sentence) => {
        const at = own.map((place) => sentence * length + place);
        const classes = at.map((row) => decided[row]);
        tagged.push({ logits: at.map((row) => rows[row]), classes, labels: this.#names(classes), together });
      });
    }
    return tagged;
  }

  /**
   * All that the model gives for some inputs, computed at once: logits, hidden states, attention, pooled states, as its
   * plug-in says. The tensors belong to the scope of {@link LoadedModel.ops} around the call; outside of any, their
   * user disposes of them.
   *
   * @param inputs what `predict` or `tag` take, or a batch of tensors as the model wants it
   * @throws UserError if the model takes something else, or tensors for one that computes in onnxruntime
   */
  outputs(inputs: ModelInputs | Batch<Tensor>): ModelOutputs {
    const { ops, model, weights } = this.#parts;
    expectArguments("outputs", { inputs: [inputs, "a map"] });
    if (model.hostOutputs && isTensors(inputs)) {
      throw this.#refusal(
        "on tensors",
        "it is an ONNX model, which onnxruntime computes from numbers outside of the device: give images, texts or words",
      );
    }
    return ops.scope(() => {
      const batch = isTensors(inputs) ? inputs : upload(ops, batchFor(model, this.batch(inputs)));
      const outputs = model.forward({ ops, weights, batch, training: false, randomSeed: () => 0 });
      // Aliases, as an output may be one of the weights, which must not be freed with the others.
      return mapOutputs(outputs, (tensor) => ops.device.alias(tensor, tensor.shape)) as ModelOutputs;
    });
  }

  /**
   * Inputs as the model's batch: `image`, normalised, or `tokens`, `types` and `mask`.
   *
   * @throws UserError if the model takes something else
   */
  batch(inputs: ModelInputs): Batch<HostTensor> {
    checkInputs("batch", inputs, ["images", "texts", "words"]);
    if ("words" in inputs) return this.#tokenizer().wordBatch(inputs.words).batch;
    const [batch] = this.#batches(inputs, Infinity);
    if (!batch) throw new UserError("Cannot make a batch of nothing");
    return batch;
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#opened.weights.dispose();
    this.#opened.exported?.[Symbol.dispose]();
  }

  #batches(
    inputs: ImageInputs | TextInputs,
    batchSize: number,
    cut: (index: number) => void = () => {},
  ): Batch<HostTensor>[] {
    const { input: { image }, normalise, folder } = this.#parts;
    if ("images" in inputs) {
      if (!image) throw this.#refusal("on images", "it takes texts");
      if (normalise) return imageBatches(inputs, image.size, normalise, batchSize);
      throw new UserError(
        `Cannot normalise images for the model in "${folder}" as there is no preprocessor_config.json: give normalise`,
      );
    }
    const { texts } = inputs;
    const tokenizer = this.#tokenizer();
    const size = Math.min(batchSize, texts.length);
    return Array.from({ length: size === 0 ? 0 : Math.ceil(texts.length / size) }, (_, batch) => {
      const first = batch * size;
      return tokenizer.batch(texts.slice(first, first + size), (index) => cut(first + index));
    });
  }

  #tokenizer(): FolderTokenizer {
    const { input: { text }, tokenizer, folder } = this.#parts;
    if (!text) throw this.#refusal("on texts", "it takes images");
    if (tokenizer) return tokenizer;
    throw new UserError(
      `Cannot read texts for the model in "${folder}" as there is no tokenizer: expected tokenizer.json or vocab.txt`,
    );
  }

  /** Logits, row by row, what is decided for each row, and whether for all together. */
  async #answer(batch: Batch<HostTensor>): Promise<{ rows: Float32Array[]; decided: number[]; together: boolean }> {
    const { ops, model, weights, input: { task }, temperature } = this.#parts;
    let together = false;
    const tensors = ops.scope(() => {
      const outputs = inferOn(ops, model, weights, batch);
      together = outputs.predictions !== undefined;
      return [outputs.logits, predictionsOf(ops, task, outputs)];
    });
    const columns = tensors[0].shape.at(-1)!;
    const [logits, decided] = await ops.read(tensors);
    tensors.forEach((tensor) => tensor.dispose());
    if (!logits.every(Number.isFinite)) {
      throw this.#refusal("to an answer", "its logits are not finite, so its weights are damaged or another model's");
    }
    const rows = Array.from({ length: logits.length / columns }, (_, row) => {
      const own = Float32Array.from(logits.subarray(row * columns, (row + 1) * columns));
      return task === "classification" && temperature !== 1 ? own.map((logit) => logit / temperature) : own;
    });
    return { rows, decided: [...decided], together };
  }

  #names(classes: readonly number[]): string[] {
    return classes.map((index) => this.#parts.input.classes[index]);
  }

  #refusal(what: string, reason: string): UserError {
    return new UserError(`Cannot run the model in "${this.#parts.folder}" ${what}: ${reason}`);
  }
}

/** Refuses inputs that are none of what a method takes, or not lists. */
function checkInputs(call: string, inputs: ModelInputs, kinds: readonly ("images" | "texts" | "words")[]): void {
  expectArguments(call, { inputs: [inputs, "a map"] });
  const kind = kinds.find((kind) => kind in inputs);
  const given: readonly [string, unknown][] = Object.entries(inputs);
  if (kind === undefined) {
    const [keys, found] = [kinds.map((kind) => `{ ${kind} }`).join(" or "), given.map(([key]) => key).join(", ")];
    throw new TypeError(
      `Cannot call ${call}: expected ${keys} as its inputs, got ${
        found === "" ? "an empty map" : `a map with ${found}`
      }`,
    );
  }
  const [, value] = given.find(([key]) => key === kind)!;
  expectArguments(call, { [`inputs.${kind}`]: [value, kind === "words" ? "a list of lists" : "a list"] });
  if (kind === "texts") {
    const wrong = Array.from(value as ArrayLike<unknown>).find((text) =>
      ![text].flat().every((part) => typeof part === "string")
    );
    if (wrong !== undefined) {
      throw new TypeError(
        `Cannot call ${call}: expected texts, or pairs of them, as its inputs.texts, got ${showValue(wrong)}`,
      );
    }
  }
}

function checkBatchSize(batchSize: number): void {
  if (Number.isSafeInteger(batchSize) && batchSize >= 1) return;
  throw new UserError(`Cannot run a model on batches of ${batchSize}: a whole number from 1 up is needed`);
}

function isTensors(inputs: ModelInputs | Batch<Tensor>): inputs is Batch<Tensor> {
  return Object.values(inputs).every((part) => part instanceof Tensor);
}
