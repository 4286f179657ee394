import type { TokenizerOpener } from "../predict/inputs.ts";
import type { Ops } from "../ops/ops.ts";
import type { Shown } from "./shown.ts";
import type { Subject } from "./subject.ts";

/** What assessments go by; each says in its file what it takes of it. */
export interface AssessSettings {
  /** Of all random numbers: equal seeds give equal numbers. */
  readonly seed: number;
  /** Examples that are computed at once. */
  readonly batchSize: number;
  /** How far inputs may be changed, in rising order; `null`: each assessment's own, as `EPS` in robustness.ts. */
  readonly eps: readonly number[] | null;
  /** The same where the change's Euclidean norm is bounded. */
  readonly epsL2: readonly number[] | null;
  /** Steps of projected gradient descent. */
  readonly steps: number;
  /** How often it starts, from 1: from the example itself, then from random places around it. */
  readonly restarts: number;
  /** The most examples that are attacked, explained or bounded; `null`: all. */
  readonly most: number | null;
}

/** What an assessment is made of. */
export interface AssessCall {
  readonly ops: Ops;
  /** The models, the teacher first if there is one; the n-th example of each is the same one. */
  readonly subjects: readonly [Subject, ...Subject[]];
  /** One of the subjects; `null`: there is none. */
  readonly teacher: Subject | null;
  readonly settings: AssessSettings;
  /** Opens the tokenizer in a model's folder. */
  readonly tokenizer: TokenizerOpener;
  /** Takes lines for the user: progress. */
  readonly tell: (line: string) => void;
}

/** What an assessment came to. */
export interface Assessed {
  /** The numbers, as a JSON value. */
  readonly result: object;
  /** The same for people, in the order in which it is read. */
  readonly shown: readonly Shown[];
}

/**
 * Numbers that say what a model can be trusted with, for several models side by side. A new one is a file that exports
 * an object of this type, and a line in assessments.ts.
 */
export interface Assessment {
  /** As `--only` has it: `calibration`. */
  readonly name: string;
  /** The heading of its section. */
  readonly title: string;
  /** What it tells, in a sentence without its period. */
  readonly description: string;
  /** Whether it is made where `--only` names none. */
  readonly usual: boolean;
  /** @throws UserError if a model, or a setting, is none that it can be made of */
  assess(call: AssessCall): Promise<Assessed>;
}
