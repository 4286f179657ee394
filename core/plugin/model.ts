import { expectArguments } from "../arguments.ts";
import type { Initialiser } from "../nn/initialisers.ts";
import type { Weights } from "../nn/weights.ts";
import type { Ops } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";
import type { Batch, HostTensor, InputDescription, RemoteFile } from "./dataset.ts";
import type { PluginDefinition } from "./kit.ts";

/** The inputs of a model of text, and what Hugging Face calls them. */
export const TEXT_INPUTS = { tokens: "input_ids", types: "token_type_ids", mask: "attention_mask" } as const;

/** One named tensor of a model. */
export interface ParameterSpec {
  /** The name in the exported file: torchvision's or Hugging Face's. */
  readonly name: string;
  /** PyTorch's axis order: `[out, in]`, `[out, in, height, width]`. */
  readonly shape: readonly number[];
  /** How a fresh one is filled. */
  readonly initialise: Initialiser;
  /** False for running statistics, which the forward pass updates itself. */
  readonly trainable: boolean;
  /** Whether it may be over-parameterised, as a chain or otherwise: a matrix `shape[0] x (product of the others)`. */
  readonly overParameterisable: boolean;
  /**
   * Whether it is a table, `[rows, width]`, that `forward` asks for by `weights.rows` alone, as for `ops.embedding`:
   * one that is larger than a tensor can be is then held as several.
   */
  readonly byRows?: boolean;
}

/**
 * A width within a model that may shrink by itself, as the inner channels of a residual block, or the neurons of a
 * feed-forward network: nothing before or behind is of that width. A channel may go if with all its numbers at zero it
 * adds nothing to what the model gives.
 */
export interface InnerWidth {
  /** What patterns in a recipe choose it by: the layer that makes its channels, `layer1.0.conv1`. */
  readonly name: string;
  /** How many channels there are. */
  readonly size: number;
  /** Every tensor with an axis of these channels: the filter that makes them, norms, biases, what takes them. */
  readonly tensors: readonly {
    /** Its name. */
    readonly name: string;
    /** The axis. */
    readonly axis: number;
  }[];
  /**
   * Of these tensors the ones that tell how much a channel adds: the product of the norms of its numbers in each. Where
   * a batch norm follows, its scale is one of them, and the filter before it is none.
   */
  readonly scoredBy: readonly string[];
}

/** The arguments of a forward pass. */
export interface ForwardCall {
  /** The operations of the backend. */
  readonly ops: Ops;
  /** The weights by name. */
  readonly weights: Weights;
  /** The inputs: `image [batch, height, width, channels]`. */
  readonly batch: Batch<Tensor>;
  /** Batch statistics and dropout (true), or the running statistics and none (false). */
  readonly training: boolean;
  /** A fresh 32-bit number each time it is called; for dropout. */
  readonly randomSeed: () => number;
  /**
   * Names of the outputs that will be looked at beside `logits` and `predictions`; without it all of them. Lists and
   * maps that will not be may be empty, so that a large model frees each layer before the next.
   */
  readonly wanted?: ReadonlySet<string>;
  /**
   * What takes the place of one of the model's repeated layers, given what that layer would get; `null`: the layer
   * itself is run. A model with `runLayer` asks it for every layer.
   */
  readonly replaceLayer?: (layer: number, x: Tensor) => LayerOutputs | null;
}

/** The outputs of one of a model's repeated layers. */
export interface LayerOutputs {
  /** The input of the next layer. */
  readonly hidden: Tensor;
  /** As in {@link ModelOutputs}, of this layer. */
  readonly attention?: Tensor;
  /** As in {@link ModelOutputs}, of this layer. */
  readonly scores?: Tensor;
  /** As in {@link ModelOutputs}, of this layer. */
  readonly relations?: AttentionVectors;
}

/** The outputs of a forward pass. A model's documentation says which of the optional ones it has. */
export interface ModelOutputs {
  /**
   * `[batch, classes]` before the softmax; `[batch, 1]` for a regression, `[batch, length, classes]` for tagging. Of a
   * model that makes vectors of sentences these vectors, `[batch, width]`, which losses look at as `pooled` alone.
   */
  readonly logits: Tensor;
  /**
   * In evaluation, what the model decides where that is not the largest logit, as of a CRF: the class for each example
   * or token, in the labels' shape.
   */
  readonly predictions?: Tensor;
  /** Feature maps by layer name, channels last. */
  readonly features: Readonly<Record<string, Tensor>>;
  /** Hidden states from the first layer to the last. */
  readonly hidden: readonly Tensor[];
  /** Attention probabilities of each layer; empty for models without attention. */
  readonly attention: readonly Tensor[];
  /** Attention scores of each layer before the softmax, q k / sqrt(head width): `[batch, heads, length, length]`. */
  readonly scores?: readonly Tensor[];
  /** Queries, keys and values of each layer, whose relations losses compare. */
  readonly relations?: readonly AttentionVectors[];
  /** `[batch, width]`: what the last linear layer sees; the vectors of a model that makes them of sentences. */
  readonly pooled: Tensor;
  /** `[tags, tags]`, from and to: scores of a CRF over the tokens, whose emissions are `logits`. */
  readonly transitions?: Tensor;
  /** `[batch, classes * subclasses]`, class by class, of a model that divides each class; `logits` sums them up. */
  readonly subclassLogits?: Tensor;
  /** `[batch, classes]` each, by the head's name, of a model with several; `logits` is their mean. */
  readonly headLogits?: Readonly<Record<string, Tensor>>;
  /** In the place of a teacher's `logits` what `teacher.keep.topK` keeps of them; no model gives it itself. */
  readonly topLogits?: TopLogits;
}

/** The largest logits of each example, and what the others come to. */
export interface TopLogits {
  /** `[batch, k]`, or `[batch, length, k]` for tagging: the classes of the k largest logits, in ascending order. */
  readonly classes: Tensor;
  /** These logits, likewise. */
  readonly values: Tensor;
  /**
   * `[batch]`, or `[batch, length]`: by the temperature T, as `String(T)`, the logarithm of the sum of exp(z_c / T)
   * over all other classes c.
   */
  readonly rest: Readonly<Record<string, Tensor>>;
}

/** The vectors of one layer's attention, each `[batch, heads, length, head width]`. */
export interface AttentionVectors {
  /** What each token looks for. */
  readonly queries: Tensor;
  /** What each token is found by. */
  readonly keys: Tensor;
  /** What each token gives. */
  readonly values: Tensor;
}

/** A model of certain sizes: a pure function of named weights, with the list of the weights it asks for. */
export interface Model {
  /** False for a model whose `forward` cannot be replayed: then every step of a run is computed anew. */
  readonly replay?: boolean;
  /** Every tensor that the forward pass asks for. */
  readonly parameters: readonly ParameterSpec[];
  /**
   * The only outputs that losses may read, for a teacher that lacks some of those that every other model has, and for a
   * model that makes vectors of sentences, which has no logits.
   */
  readonly gives?: readonly (keyof ModelOutputs)[];
  /**
   * True of a teacher that is a record of decisions: its logits are the logarithms of the shares of its decisions that
   * were for each class.
   */
  readonly decisions?: boolean;
  /**
   * Of several teachers as one, how many there are: what is made of their weights or layers alone is the first one's.
   * Unset: one.
   */
  readonly members?: number;
  /** How many numbers were trained that are in no tensor of `parameters`, as another library holds them. */
  readonly foreignParameters?: number;
  /** Of a model of text, those of the batch's `tokens`, `types` and `mask` that change what it gives; unset: all. */
  readonly textInputs?: readonly (keyof typeof TEXT_INPUTS)[];
  /** Name of the weight `[classes, width]` that makes logits of `pooled`, where one linear layer does. */
  readonly classifier?: string;
  /**
   * From a batch to outputs. A training step may be recorded once and replayed: `forward` then runs once and its
   * kernels many times. So it remembers nothing, and what is random in it comes from `randomSeed`, given as it is to
   * kernels.
   */
  forward(call: ForwardCall): ModelOutputs;
  /**
   * Of a model that another library computes on the host: numbers of a batch under names of its own, which `forward`
   * then finds in the batch on the device.
   *
   * @param wanted as in {@link ForwardCall}
   */
  hostOutputs?(batch: Batch<HostTensor>, wanted?: ReadonlySet<string>): Batch<HostTensor>;
  /** The widths that pruning may make smaller, each by itself; see `withWidths` of the definition. */
  readonly innerWidths?: readonly InnerWidth[];
  /** Prefixes of the names of the repeated layers, in order: an encoder's layers, a ResNet's blocks. */
  readonly layerPrefixes?: readonly string[];
  /** Runs one of these layers alone, on what the layer before it gives, as `forward` does. */
  runLayer?(call: ForwardCall, layer: number, x: Tensor): LayerOutputs;
  /** Names of tensors that a file trained for another task lacks: a student that starts from one gets fresh ones. */
  readonly head?: readonly string[];
  /** Further files of its folder, by their paths there: what other programs want to know to run it. */
  readonly files?: Readonly<Record<string, string>>;
  /** Entries of the student folder's config.json, from which the architecture can be built again. */
  readonly config: Readonly<Record<string, unknown>>;
  /**
   * The name here of a tensor in a foreign file, or `null` for one that is known and not needed. A file with a tensor
   * whose name is none of `parameters` is refused, as it is of another model.
   */
  fromForeign(name: string): string | null;
  /**
   * What weights that do not fit are of, for a sentence in which they are the subject: `fit a CIFAR ResNet-32: depth:
   * 32`. `null` where it cannot be told.
   */
  explain?(shapes: TensorShapes): string | null;
  /**
   * For models whose files come in several forms: the tensors of a file, under the names that `fromForeign` gives, in
   * the form of `parameters`. What cannot be brought into it stays as it is, and is refused by name or shape.
   */
  fromFile?(tensors: FileTensors, source: FileSource): FileTensors;
  /**
   * For models that are stored in another form than `parameters`: the tensors to be written, which `fromFile` takes.
   */
  toFile?(tensors: FileTensors): FileTensors;
}

/** A tensor of a file, whose numbers are converted when they are asked for. */
export interface FileTensor {
  /** PyTorch's axis order. */
  readonly shape: readonly number[];
  /** Row-major; not to be written to. */
  numbers(): Float32Array;
  /** The factors that the file has in its place, `down` and `up`, whose product it is. */
  readonly factors?: { readonly down: FileTensor; readonly up: FileTensor };
}

/** Tensors of a file by name. */
export type FileTensors = ReadonlyMap<string, FileTensor>;

/** Shapes of a file's tensors, in PyTorch's axis order, by the names that they have there. */
export type TensorShapes = ReadonlyMap<string, readonly number[]>;

/** What weights that a recipe names show of their model, without their numbers. */
export interface StoredModel {
  /** Of every tensor; none where the weights cannot be read. */
  readonly shapes: TensorShapes;
  /** The config.json beside them; `null` if there is none. */
  readonly config: Readonly<Record<string, unknown>> | null;
}

/** Where a model's tensors come from. */
export interface FileSource {
  /** The config.json beside the file, or the teacher's that a student starts from; `null` if there is none. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** Takes a line for the user: that numbers are other ones than the file has. */
  readonly report: (line: string) => void;
}

/** The arguments of opening a teacher that brings its own files. */
export interface OpenSetup {
  /** The operations of the backend, as long as it is open. */
  readonly ops: Ops;
  /** The file or folder that the recipe names as its weights, relative to the working directory. */
  readonly path: string;
  /**
   * Reads a file by its path, `/` between the parts, relative to the working directory. What was read identifies the
   * teacher in checkpoints and caches. `what` says what it is to the user, with its article. @throws UserError
   */
  readonly readFile: (path: string, what: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Takes a line for the user: that the model is used without a part of it. */
  readonly report: (line: string) => void;
}

/** A teacher that was opened. */
export interface OpenedModel {
  /** Ready to run; its `parameters` may be empty. */
  readonly model: Model;
  /** Gives back what it holds. */
  dispose(): void;
}

/** Outputs of a teacher that were computed elsewhere: a record for each example. */
export interface RecordedOutputs {
  /** The file that they were read from, for messages. */
  readonly file: string;
  /** `[records, width]`, row-major. */
  readonly logits: Float32Array;
  /** How many classes there are, in the order of the data's; 1 for a regression. */
  readonly width: number;
  /** Whether the logits are the logarithms of shares of decisions; see {@link Model.decisions}. */
  readonly decisions?: boolean;
  /** The id of each record; `null` for records in the order of those of the data's file. */
  readonly ids: readonly string[] | null;
  /** Whether the file, or the recipe, says which number is of which class; false: they are in the file's own order. */
  readonly named: boolean;
  /** Where a record stands, for messages: `line 7`. */
  readonly place: (record: number) => string;
}

/** The arguments of reading a teacher's recorded outputs. */
export interface RecordSetup {
  /** Reads a file named in the recipe, as a data set does. @throws UserError */
  readonly readFile: (file: string | RemoteFile, what: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Reads the tensors of a safetensors file. @throws UserError */
  readonly readTensors: (file: string | RemoteFile, what: string) => Promise<FileTensors>;
}

/** A family of models, as teacher and as student. */
// deno-lint-ignore no-explicit-any
export interface ModelDefinition<Options = any> extends PluginDefinition<"model", Options> {
  /** A model of the sizes that options and data give. @throws UserError if the options do not fit the data */
  build(options: Options, data: InputDescription): Model;
  /**
   * For models whose weights are not a safetensors file, such as those that another library runs: makes a teacher of
   * the files that the recipe names. It is called instead of `build` and of reading weights.
   *
   * @throws UserError if a file cannot be read, or the model does not fit the data
   */
  open?(options: Options, data: InputDescription, setup: OpenSetup): Promise<OpenedModel>;
  /**
   * For a teacher that is no model but a record of what one said: reads its outputs, by the names of the splits that
   * they are of. It is called instead of `build` and of reading weights, and the recipe names no weights.
   *
   * @throws UserError if a file cannot be read, or does not fit the data
   */
  record?(
    options: Options,
    data: InputDescription,
    setup: RecordSetup,
  ): Promise<Readonly<Record<string, RecordedOutputs>>>;
  /** The `model_type`s of Hugging Face configs that `fromConfig` reads. */
  readonly modelTypes?: readonly string[];
  /** Others that are near to those and are not read, each with the reason, for the sentence that refuses them. */
  readonly otherTypes?: Readonly<Record<string, string>>;
  /**
   * Fills options that were left at `null` from a config.json in a foreign form, such as Hugging Face's.
   *
   * @throws UserError if the config is of a model that this family cannot build
   */
  fromConfig?(config: Readonly<Record<string, unknown>>, options: Options): Options;
  /**
   * Fills options that were left at `null` from the weights that the recipe names.
   *
   * @throws UserError if an option that is stated contradicts them, or one that must be stated cannot be told by them
   */
  fromWeights?(stored: StoredModel, options: Options): Options;
  /**
   * Fills options of a student that starts from its teacher's layers, and that were left at `null`.
   *
   * @param teacher the options of the teacher, which is of the same family
   * @param layers how many layers the recipe lists for it; `null` where they follow from the student's own
   * @throws UserError if one that must be stated cannot be told
   */
  fromTeacher?(options: Options, teacher: Options, layers: number | null): Options;
  /**
   * The options of the same model with other inner widths.
   *
   * @param widths of every one of the model's `innerWidths`, by name, in their order
   * @throws UserError if options cannot say so
   */
  withWidths?(options: Options, widths: ReadonlyMap<string, number>): Options;
}

/** A model plug-in; the function only gives the types. */
export function defineModel<Options>(definition: Omit<ModelDefinition<Options>, "kind">): ModelDefinition<Options> {
  expectArguments("defineModel", { definition: [definition, "a map"] });
  return { kind: "model", ...definition };
}
