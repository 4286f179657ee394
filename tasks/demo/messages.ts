import type { ProgressLine } from "../../core/distill/progress.ts";
import type { RunSummary } from "../../core/distill/summary/summary.ts";

/** The user's choice of where to compute. */
export type Choice = "auto" | "webgpu" | "cpu";

/** A file of a model folder. */
export interface FolderFile {
  /** Its path from the folder, `/` between the parts. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the page needs to know before it can be used. */
export interface Prepared {
  /** The text of the recipe that is shipped. */
  readonly recipe: string;
  /** The GPU that WebGPU found, in words; `null` without one. */
  readonly adapter: string | null;
  /** What the cpu backend is, its threads among it. */
  readonly cpu: string;
  readonly teacher: ModelFacts;
}

/** A model that answers. */
export interface ModelFacts {
  readonly name: string;
  /** The folder of its files, as recipes can name it. */
  readonly folder: string;
  readonly architecture: string;
  readonly parameters: number;
  readonly classes: readonly string[];
  /** Of the images that it takes. */
  readonly size: readonly [height: number, width: number, channels: number];
}

/** A run to be made. */
export interface Order {
  /** The recipe's text. */
  readonly recipe: string;
  readonly choice: Choice;
  /** `key=value`, as the command line's `--set`. */
  readonly overrides: readonly string[];
}

/** The singular values of one chain, contracted to its matrix. */
export interface Spectrum {
  /** Name of the weight. */
  readonly layer: string;
  /** Descending. */
  readonly values: readonly number[];
  /** exp of the entropy of the values as a distribution. */
  readonly effectiveRank: number;
}

/** What a run came to. */
export interface Finished {
  readonly summary: RunSummary;
  /** `null` for one that does not classify images: it can be downloaded, but not asked. */
  readonly student: ModelFacts | null;
  /** The teacher of the run; that of before where it has none that can be opened. */
  readonly teacher: ModelFacts;
  /** Whether it was stopped before its last step. */
  readonly stopped: boolean;
}

/** Who is asked. */
export type Who = "teacher" | "student";

/** What a model says of one picture. */
export interface Answer {
  /** Of each class, after the softmax. */
  readonly probabilities: readonly number[];
  /** The number of the class. */
  readonly decided: number;
  readonly milliseconds: number;
}

/** How a model does on test images. */
export interface Examined {
  readonly accuracy: number;
  readonly count: number;
  /** For each image, one at a time. */
  readonly milliseconds: number;
}

/** A test image. */
export interface Sample {
  /** Bytes from 0 to 255, row by row. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly size: readonly [height: number, width: number];
  /** The name of its class. */
  readonly label: string;
}

/** What the worker can be asked for; each answers once. */
export interface Calls {
  prepare(): Promise<Prepared>;
  distil(order: Order): Promise<Finished>;
  /** Ends the run under way after its step; its student is kept. */
  stop(): Promise<void>;
  classify(who: Who, pixels: Uint8Array<ArrayBuffer>): Promise<Answer>;
  /** Asks about test images; `null` for a model whose classes are not theirs. */
  examine(who: Who, count: number): Promise<Examined | null>;
  samples(round: number): Promise<readonly Sample[]>;
  /** Takes a folder as the student. */
  open(name: string, files: readonly FolderFile[]): Promise<ModelFacts>;
  /** The files of the student. */
  student(): Promise<readonly FolderFile[]>;
}

/** What the worker tells while it works. */
export type News =
  | { readonly kind: "loading"; readonly done: number; readonly of: number }
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "computing on"; readonly backend: string; readonly description: string; readonly reason: string }
  | { readonly kind: "progress"; readonly progress: ProgressLine }
  | { readonly kind: "teacher"; readonly accuracy: number }
  | { readonly kind: "validation"; readonly step: number; readonly accuracy: number; readonly loss: number }
  | { readonly kind: "spectra"; readonly step: number; readonly spectra: readonly Spectrum[] };

/** A question to the worker. */
export interface Question {
  readonly id: number;
  readonly call: keyof Calls;
  readonly args: readonly unknown[];
}

/** What comes from the worker. */
export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: string; readonly ofUser: boolean }
  | { readonly id: null; readonly news: News };
