import { expectArguments } from "../arguments.ts";
import type { PluginDefinition } from "./kit.ts";
import type { Random } from "../data/random.ts";
import type { RemoteFile } from "../data/remote_file.ts";
import type { OpenFolder } from "../files.ts";

export type { OpenFolder, RemoteFile };

/**
 * Named tensors of one batch: `image [batch, height, width, channels]`, `label [batch]`; see {@link InputDescription}.
 */
export type Batch<Part> = Readonly<Record<string, Part>>;

/** Numbers of one batch on the host. */
export interface HostTensor {
  /** Row-major. */
  readonly data: Float32Array;
  /** The batch dimension first. */
  readonly shape: readonly number[];
}

/**
 * What is asked about an example: its class, a number, a class for each token, or for each class whether it is of it.
 * Labels are `label [batch]`; `[batch, length]` for tagging, where -1 stands at tokens that are not scored; `[batch,
 * classes]` of 0 and 1 for several labels. Of a list in which examples lack a label, see {@link Examples.labelled}.
 *
 * Nothing is asked about a sentence that becomes a vector (`embedding`): labels are zeros there, and what the vectors
 * are measured by is how alike two texts are, {@link Examples.pairs}.
 */
export type Task = "classification" | "regression" | "tagging" | "multi-label" | "embedding";

/** Images that a data set gives as `image [batch, height, width, channels]`. */
export interface ImageInput {
  /** The same for all of them. */
  readonly size: readonly [height: number, width: number, channels: number];
  /** How pixels in [0, 1] become numbers: (pixel - mean) / std, one entry for each channel. */
  readonly normalise: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /**
   * How pictures of any size became such images, by keys of Hugging Face's `preprocessor_config.json`, which a saved
   * model gets; left out: they are stretched by Pillow's bilinear filter.
   */
  readonly processor?: Readonly<Record<string, unknown>>;
  /** Whether pictures were turned as their EXIF data say, and are to be for a saved model; left out: they were. */
  readonly orient?: boolean;
}

/**
 * Text that a data set gives as `tokens`, `types` and `mask`, each `[batch, length]`: the number of each token, the
 * segment that it belongs to (0 or 1), and 1 for a token or 0 for padding. The length is the longest of the batch.
 */
export interface TextInput {
  /** Tokens are numbered from 0 up to but not this. */
  readonly vocabulary: number;
  /** The most tokens of an example, special ones included. */
  readonly maxLength: number;
  /** The number of the padding token. */
  readonly padding: number;
  /** Files of the tokenizer by name, which are saved beside a model: `tokenizer.json`, `vocab.txt`. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** A data set's description for models. */
export interface InputDescription {
  /** The kind of labels. */
  readonly task: Task;
  /** Names of the classes or tags; empty for regression. */
  readonly classes: readonly string[];
  /** True where the files number the classes and `classes` only names them: LABEL_3 of a model is number 3 then. */
  readonly numbered?: boolean;
  /** `null` unless the examples are images. */
  readonly image: ImageInput | null;
  /** `null` unless the examples are text. */
  readonly text: TextInput | null;
}

/** Random changes to training images; see `augment` in a recipe. */
export interface Augmentation {
  /** Mirror half of the images, left to right. */
  readonly flip: boolean;
  /** Shift by up to so many pixels each way. */
  readonly shift: number;
  /** Least part of its area that a random crop keeps, which is enlarged to the whole; `null` or left out: no crops. */
  readonly crop?: number | null;
  /** Turn by up to so many degrees each way. */
  readonly rotate?: number;
  /** Multiply brightness, contrast and saturation by 1 minus to 1 plus this. */
  readonly jitter?: number;
  /** Probability that a rectangle becomes the mean. */
  readonly erase?: number;
  /**
   * So many operations of RandAugment, a step of their strength from 0 up to but not `bins`; `null` or left out: none.
   */
  readonly randAugment?:
    | { readonly operations: number; readonly magnitude: number; readonly bins: number }
    | null;
  /** Seed and epoch decide the changes, whatever the order of the examples. */
  readonly seed: number;
  /** Counted from 0; where classes are balanced, of which an epoch has the same example several times, the batch. */
  readonly epoch: number;
}

/** Where examples come from, so that what a file says of them can be joined to them. */
export interface ExampleSource {
  /** The file, as the recipe names it; `null` for examples of several. */
  readonly file: string | null;
  /** How many records the file has: rows, images. Those that were left out count. */
  readonly records: number;
  /** Of each example the number of its record in the file, from 0. */
  readonly record: Uint32Array;
  /** Of each example its id, which no other has; `null` where the data have none. */
  readonly ids: readonly string[] | null;
}

/** How alike two examples of a list are, for vectors of sentences: three lists of one length. */
export interface ScoredPairs {
  /** The number of one of the two, for each pair. */
  readonly first: Uint32Array;
  /** The number of the other. */
  readonly second: Uint32Array;
  /** The more, the more alike they are; on any scale. */
  readonly scores: Float32Array;
}

/** A list of examples. */
export interface Examples {
  /** How many there are. */
  readonly length: number;
  /**
   * The class of each example, by which a split is stratified, -1 for one without a label; `null` where an example has
   * not one class.
   */
  readonly labels: Uint8Array | Uint16Array | Int32Array | null;
  /**
   * 1 for each example that has a label, 0 for one that has none; missing where all have. Where it is there, every
   * batch has the same as `labelled [batch]`, and `label` is -1 (0 in a regression, and at every class of several
   * labels) for an example without one.
   */
  readonly labelled?: Uint8Array;
  /** Of texts for vectors, which of them were compared by people; those in a pair are those with a label. */
  readonly pairs?: ScoredPairs;
  /** Where they come from, for a teacher that is a file of outputs; missing where that is not known. */
  readonly source?: ExampleSource;
  /**
   * A number for each example that equal ones share, such as two copies of a picture, in whatever split they stand;
   * missing where that is not known.
   */
  readonly equal?: Uint32Array;
  /** Tokens of each example, where they differ: batches may then be made of examples that are about as long. */
  readonly lengths?: Uint16Array;
  /**
   * Brings into memory what `batch` of these examples needs, where not all of it is there; then it is called before
   * that. What it brought before may go.
   */
  fetch?(indices: Uint32Array): Promise<void>;
  /**
   * Is told of the examples that are fetched next, and may begin to bring them while those before are used. It comes
   * back once that goes on by itself; what fails then is thrown by `fetch`.
   */
  ahead?(indices: Uint32Array): Promise<void>;
  /** The examples at these indices, as the model wants them; changed at random if `augmentation` is given. */
  batch(indices: Uint32Array, augmentation?: Augmentation): Batch<HostTensor>;
}

/** Examples of a file that were left out, as they lack their text or their label. */
export interface SkippedExamples {
  /** The file, or the folder of messages. */
  readonly file: string;
  /** How many there are. */
  readonly count: number;
  /** The first few: `line 3: its text is empty`. */
  readonly first: readonly string[];
}

/** A loaded data set. */
export interface Dataset {
  /** Its description for models. */
  readonly input: InputDescription;
  /** Splits by name; `train` and `test` are always there. */
  readonly splits: Readonly<Record<string, Examples>> & { readonly train: Examples; readonly test: Examples };
  /** What was left out, by file; missing where all was taken. A run tells it. */
  readonly skipped?: readonly SkippedExamples[];
  /** What is worth knowing of the data as they were made, a sentence each; a run says it. */
  readonly notes?: readonly string[];
  /** What else is to be known before the data are trusted, a sentence each; a run warns of it. */
  readonly warnings?: readonly string[];
  /**
   * Of a data set of text, the same examples for a model with another tokenizer, their classes numbered as by `load`.
   *
   * @param tokenizer a folder with a tokenizer's files, or one of them, as a recipe would name it
   * @returns `null` if it makes the same tokens of all examples
   * @throws UserError for files that are not a tokenizer's
   */
  readonly retokenise?: (tokenizer: string) => Promise<Dataset | null>;
  /** Ends what goes on beside the program, such as threads. The examples are not used after that. */
  readonly close?: () => Promise<void>;
}

/** The arguments of loading a data set. */
export interface DatasetSetup {
  /**
   * Reads a file named in the recipe, as the kit's `dataFile` gives it: a path, relative ones from the recipe's base
   * folder, or a file to be downloaded. `what` says what it is to the user, with its article. @throws UserError
   */
  readonly readFile: (file: string | RemoteFile, what: string) => Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Reads all files of a folder and of the folders in it, by their paths from there, in order of these.
   * @throws UserError
   */
  readonly readFolder: (folder: string, what: string) => Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>>;
  /** Lists the files of a folder and of the folders in it, to be read one by one. Noting them is left to the caller. */
  readonly openFolder: (folder: string, what: string) => Promise<OpenFolder>;
  /** Notes what else was read, such as an npm package, by its name: a changed content makes another run. */
  readonly noteInput: (name: string, content: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Of the model that the student starts from, the folder with its tokenizer: for texts without another. */
  readonly tokenizer?: string;
  /** A stream of the run's random numbers, for a split that the data set makes itself. */
  readonly random: Random;
}

/** A format of data sets. */
// deno-lint-ignore no-explicit-any
export interface DatasetDefinition<Options = any> extends PluginDefinition<"dataset", Options> {
  /** Reads the data. @throws UserError for files that are not as they should be */
  load(options: Options, setup: DatasetSetup): Promise<Dataset>;
}

/** A data set plug-in; the function only gives the types. */
export function defineDataset<Options>(
  definition: Omit<DatasetDefinition<Options>, "kind">,
): DatasetDefinition<Options> {
  expectArguments("defineDataset", { definition: [definition, "a map"] });
  return { kind: "dataset", ...definition };
}
