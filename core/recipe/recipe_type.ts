import type { Gauge } from "../mpo/gauge.ts";
import type { LearningRateSchedule } from "../nn/schedules.ts";
import type { Scheduled } from "./scheduled.ts";

// What the schemas beside this file give, written down: schema.ts does not compile where the two differ. What each
// entry means in a recipe, its bounds and its default stand in the schemas.

/** A plug-in that a recipe names; its other keys are the plug-in's options. */
export interface PluginEntry {
  /** A built-in name, a file, or an https:// address. */
  readonly use: string;
  /** The hash of a plug-in that is named by its address. */
  readonly integrity?: string;
  /** Options of the plug-in. */
  readonly [option: string]: unknown;
}

/** A loss of a recipe. */
export interface LossSettings extends PluginEntry {
  /** Factor of the loss in the sum. */
  readonly weight: Scheduled;
}

/** One more model that is distilled from. */
export interface OtherTeacherSettings extends PluginEntry {
  /** Folder or .safetensors file of the trained weights; `null` for a teacher that is a file of outputs. */
  readonly weights: string | null;
  /** Names of the data set's classes in the order of the model's logits; `null`: those of its config.json. */
  readonly classes: readonly (string | number | boolean)[] | null;
  /** Tokenizer that the model was trained with; `null`: that in its folder, or the data set's. */
  readonly tokenizer: string | null;
  /** How its images are normalised; `null`: as its folder says, or as the data set's. */
  readonly normalise: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  /** Side of its square images, or their height and width; `null`: as its folder says, or as the data set's. */
  readonly imageSize: number | readonly [height: number, width: number] | null;
  /** Part in the mean of several teachers' predictions. */
  readonly share: number;
}

/** The model that is distilled from. */
export interface TeacherSettings extends OtherTeacherSettings {
  /** Further teachers. */
  readonly others: readonly OtherTeacherSettings[];
  /** What to do about a teacher that is no better than a guess, or whose classes seem to stand in another order. */
  readonly onPoorTeacher: "warn" | "refuse" | "ignore";
  /** Folder for the outputs over the training examples; `null`: computed in every step. */
  readonly cache: string | null;
  /** What of the outputs is kept there; `null`: all that the losses read. */
  readonly keep: {
    /** How many of an example's logits: the largest. */
    readonly topK: number;
  } | null;
}

/** Which weights are over-parameterised, and how: by chains of cores or otherwise. */
export interface OverParameterisation {
  /** Patterns of the weights' names. */
  readonly layers: string | readonly string[];
  /** What they are trained as: chains, sums of kernels, kernels behind depthwise ones, or random mixes of kernels. */
  readonly use: "mpo" | "sum" | "do-conv" | "majority";
  /** Number of kernels of `sum` and `majority`. */
  readonly kernels: number | null;
  /** Number of cores of each chain. */
  readonly cores: number | null;
  /** Factors of the rows, one for each core. */
  readonly rows: readonly number[] | null;
  /** Factors of the columns, one for each core. */
  readonly cols: readonly number[] | null;
  /** Wanted parameters of each chain as a multiple of its matrix's. */
  readonly increaseRate: number | null;
  /** Where the singular values go. */
  readonly gauge: Gauge;
}

/** Which weights or channels of the student are taken away, how many, and when. */
export interface PruneSettings {
  /** What goes first. */
  readonly method: "magnitude" | "random" | "movement";
  /** `unstructured`, `channels`, or how many weights stay of each group: `2:4`. */
  readonly structure: string;
  /** Patterns of the weights' names, or of the inner widths'. */
  readonly layers: string | readonly string[];
  /** Part that goes. */
  readonly amount: number | null;
  /** Numbers of the whole student that are left. */
  readonly parameters: number | null;
  /** What a weight or channel is held against; `null`: all, of channels those of its layer. */
  readonly scope: "global" | "layer" | null;
  /** Whether more and more goes, or all at once; `null`: `cubic`, of channels `once`. */
  readonly schedule: "cubic" | "once" | null;
  /** Share of the training steps after which no mask changes. */
  readonly over: number | null;
}

/** The model that is trained. */
export interface StudentSettings extends PluginEntry {
  /** Folder or file to start from; `null`: fresh weights. */
  readonly weights: string | null;
  /** Layers of the teacher or of `weights` to start from; `null`: from all of `weights`. */
  readonly initialise: {
    /** Whose layers the student starts from. */
    readonly from: "teacher" | "weights";
    /** Which of them. */
    readonly layers: "first" | "mapped" | "last" | readonly number[];
  } | null;
  /** Whether the last layer is that of what the student starts from. */
  readonly head: "keep" | "fresh";
  /** Weights that are over-parameterised; of several entries that match a weight the first counts. */
  readonly overParameterise: readonly OverParameterisation[];
  /** What is taken away of it; `null`: nothing. */
  readonly prune: PruneSettings | null;
}

/** Stochastic gradient descent in a recipe. */
export interface SgdSettings {
  /** Which optimiser it is. */
  readonly use: "sgd";
  /** Learning rate that the schedule scales. */
  readonly learningRate: number;
  /** Momentum; 0 for none. */
  readonly momentum: number;
  /** Nesterov's form of momentum. */
  readonly nesterov: boolean;
  /** The L2 penalty's factor. */
  readonly weightDecay: number;
}

/** AdamW in a recipe. */
export interface AdamwSettings {
  /** Which optimiser it is. */
  readonly use: "adamw";
  /** Learning rate that the schedule scales. */
  readonly learningRate: number;
  /** Decay rates of the two moment averages. */
  readonly betas: readonly [number, number];
  /** Added to the denominator. */
  readonly epsilon: number;
  /** Decoupled weight decay, times the learning rate. */
  readonly weightDecay: number;
}

/** How the student is trained. */
export interface TrainSettings {
  /** Passes over the training data. */
  readonly epochs: number;
  /** Training stops after this many steps. */
  readonly maxSteps: number | null;
  /** Examples that are computed at once. */
  readonly batchSize: number;
  /** Batches per training step. */
  readonly accumulate: number;
  /** Whether a smaller last batch of an epoch is left out. */
  readonly dropLast: boolean;
  /** The optimiser. */
  readonly optimiser: SgdSettings | AdamwSettings;
  /** Settings of the cores of over-parameterised weights. */
  readonly cores: {
    /** Their learning rate as a multiple of the others'. */
    readonly learningRateScale: number;
    /** Their weight decay; `null`: the optimiser's. */
    readonly weightDecay: number | null;
    /** What weight decay shrinks. */
    readonly weightDecayTarget: "cores" | "merged" | "none";
  };
  /** Learning rates of some weights as multiples of the others'. */
  readonly layerRates: readonly {
    /** Patterns of the weights' names. */
    readonly layers: string | readonly string[];
    /** The multiple; 0 freezes them. */
    readonly scale: number;
  }[];
  /** Whether batches are made of texts that are about as long. */
  readonly bucketByLength: boolean;
  /** Whether an epoch has each example once, or as many of each class. */
  readonly sampler: "shuffled" | "balanced";
  /** The learning rate's way through training. */
  readonly schedule: LearningRateSchedule;
  /** Largest norm of the whole gradient. */
  readonly clipGradientNorm: "auto" | number | null;
  /** Metric that early stopping and `restoreBest` go by. */
  readonly monitor:
    | "validation.accuracy"
    | "validation.f1"
    | "validation.f1Macro"
    | "validation.f1Micro"
    | "validation.mAP"
    | "validation.matthews"
    | "validation.pearson"
    | "validation.spearman"
    | "validation.auc"
    | "validation.precision"
    | "validation.recall"
    | "validation.f1Weighted"
    | "validation.precisionMacro"
    | "validation.precisionMicro"
    | "validation.precisionWeighted"
    | "validation.recallMacro"
    | "validation.recallMicro"
    | "validation.recallWeighted"
    | "validation.loss"
    | "validation.agreement"
    | null;
  /** When training stops early; `null`: never. */
  readonly earlyStopping: {
    /** Epochs without improvement. */
    readonly patience: number;
    /** The least change that is an improvement. */
    readonly minDelta: number;
  } | null;
  /** Whether training ends with the weights of its best epoch. */
  readonly restoreBest: boolean;
  /** Training steps between two log lines. */
  readonly logEvery: number;
  /** What is written down after each epoch; `null`: nothing. */
  readonly diagnostics: {
    /** Patterns of the weights' names. */
    readonly layers: string | readonly string[];
    /** How many of the largest singular values. */
    readonly singularValues: number;
  } | null;
  /** Layers of the teacher in the place of the student's; `null`: never. */
  readonly theseus: {
    /** Probability that a layer of the student computes. */
    readonly replacingRate: Scheduled;
  } | null;
  /** How the teacher learns beside the student; `null`: it is frozen. */
  readonly lgtm: {
    /** Its learning rate. */
    readonly teacherRate: number;
    /** Part of its loss that pulls it to the student's outputs. */
    readonly alpha: number;
    /** What softens both outputs there. */
    readonly temperature: number;
    /** Part of the training examples on which the student does not train. */
    readonly heldOut: number;
  } | null;
  /** How activations and their gradients are kept. */
  readonly precision: "f32" | "f16";
  /** Whether repeated steps are replayed. */
  readonly replay: boolean;
  /** Epochs between two checkpoints. */
  readonly checkpointEvery: number | null;
}

/** What an ONNX file computes with. */
export type OnnxPrecision = "fp32" | "fp16" | "int8";

/** A recipe with every default filled in. */
export interface Recipe {
  /** Name of the experiment. */
  readonly name: string;
  /** Seed of all random numbers. */
  readonly seed: number;
  /** Where to compute. */
  readonly backend: "auto" | "webgpu" | "cpu";
  /** Run folder. */
  readonly output: string;
  /** Folder that files named in the recipe are relative to. */
  readonly base: string;
  /** Examples to train on and to test with. */
  readonly dataset: PluginEntry;
  /** Examples kept out of training to watch it; `null`: none. */
  readonly validation: {
    /** Split that they are taken out of. */
    readonly from: string;
    /** Part of the split; this or `count`. */
    readonly fraction: number | null;
    /** Number of examples; this or `fraction`. */
    readonly count: number | null;
    /** Whether the same part of each class is taken. */
    readonly stratify: boolean;
  } | null;
  /** Training on a part of the examples; `null`: on all. */
  readonly subset: {
    /** The part that is used. */
    readonly fraction: number;
  } | null;
  /** Training on labels some of which are wrong on purpose; `null`: none is. */
  readonly labelNoise: {
    /** The part that is wrong. */
    readonly fraction: number;
  } | null;
  /** Random changes to training images. */
  readonly augment: {
    /** Whether half of the images are mirrored. */
    readonly flip: boolean;
    /** By how many pixels images are shifted at most. */
    readonly shift: number;
    /** Least part of an image's area that a random crop keeps; `null`: no crops. */
    readonly crop: number | null;
    /** By how many degrees images are turned at most. */
    readonly rotate: number;
    /** By which part brightness, contrast and saturation change at most. */
    readonly jitter: number;
    /** Probability that a rectangle is erased. */
    readonly erase: number;
    /** Operations of RandAugment; `null`: none. */
    readonly randAugment: {
      /** How many are applied to an image. */
      readonly operations: number;
      /** The step of their strength, below `bins`. */
      readonly magnitude: number;
      /** In how many steps the strongest is reached. */
      readonly bins: number;
    } | null;
    /** Mixup's alpha; 0: images are not mixed so. */
    readonly mixup: number;
    /** CutMix's alpha; 0: images are not mixed so. */
    readonly cutmix: number;
  };
  /** Model to distil from; `null`: the student learns alone. */
  readonly teacher: TeacherSettings | null;
  /** Model that is trained. */
  readonly student: StudentSettings;
  /** What training minimises: their sum, each times its weight. */
  readonly losses: readonly LossSettings[];
  /** How the student is trained. */
  readonly train: TrainSettings;
  /** How accuracy is measured. */
  readonly evaluate: {
    /** Examples per batch when nothing is trained. */
    readonly batchSize: number;
    /** Class whose F1 is `f1`; `null`: the second of two classes, or the mean of more. */
    readonly positiveClass: string | number | boolean | null;
    /** Probability from which an example is of a class, where it may be of several. */
    readonly threshold: number;
    /** Whether the training examples are measured too. */
    readonly train: boolean;
  };
  /** What the student's model card says that nothing else in the recipe does. */
  readonly card: {
    /** Licence of the student; `null`: the card names none. */
    readonly license: string | null;
    /** Hugging Face's name of the model that the student was made from. */
    readonly baseModel: string | null;
    /** Hugging Face's name of the data set. */
    readonly dataset: string | null;
  };
  /** What is written beside `metrics.jsonl`. */
  readonly log: {
    /** Whether event files for TensorBoard are written. */
    readonly tensorboard: boolean;
  };
  /** The check that merging changed nothing. */
  readonly verify: {
    /** Largest difference allowed between logits. */
    readonly tolerance: number;
    /** Examples on which the two are compared. */
    readonly probe: number;
  };
  /** The form of the exported student, and other formats of it. */
  readonly export: {
    /** Whether it is written as ONNX, and what the files compute with. */
    readonly onnx: boolean | { readonly precision: OnnxPrecision | readonly OnnxPrecision[] };
    /** Whether `student/manifest.json` says what it was made of. */
    readonly manifest: boolean;
    /** Which weights are two factors of lower rank: patterns of names, or all that are over-parameterised. */
    readonly keepFactors: boolean | string | readonly string[];
    /** Singular values that stay of each; below 1 the part of them. */
    readonly rank: number | null;
    /** Numbers of the whole student that are left at most, instead of `rank`. */
    readonly parameters: number | null;
  };
}
