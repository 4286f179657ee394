import { agreementOf, decisionsOf } from "../../evaluate/decisions.ts";
import { vectorAgreement } from "../../evaluate/vectors.ts";
import { norm } from "../../linalg/vector.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples, Task } from "../../plugin/dataset.ts";
import type { Section } from "../../recipe/checked.ts";
import { assignLayers } from "../../recipe/globs.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { matrixSizes, readMatrices, singularValuesOf, type Spectra } from "./spectra.ts";
import type { MetricsLog } from "./step_log.ts";
import type { Student } from "../student/student.ts";
import type { Teacher } from "../teacher/teacher_outputs.ts";

/** How an epoch changed one weight, as a matrix of outputs by everything else; a chain is merged first. */
export interface MatrixDiagnostics {
  /** ||W - W_0|| / ||W_0|| with W_0 from one epoch before; `null` if training was resumed within the epoch. */
  readonly relativeStep: number | null;
  /** exp of the entropy of the singular values as a distribution (Roy and Vetterli 2007): 1 up to the full rank. */
  readonly effectiveRank: number;
  /** The largest, descending. */
  readonly singularValues: readonly number[];
}

/** The `diagnostics` of a line of `metrics.jsonl`. */
export interface EpochDiagnostics {
  readonly matrices: Readonly<Record<string, MatrixDiagnostics>>;
  /** Part of the validation examples on which student and teacher decide alike; `null` without either. */
  readonly agreement: number | null;
}

/** An epoch that has ended. */
export interface EndedEpoch {
  /** Steps done. */
  readonly step: number;
  /** Epochs done. */
  readonly epoch: number;
  /** What the student decides about each validation example; `null` without any, or where nobody asks for it. */
  readonly decided: Float64Array | null;
}

/** The parts of a run that {@link Diagnostics} look at. */
export interface DiagnosticsSetup {
  readonly ops: Ops;
  readonly student: Student;
  readonly teacher: Teacher | null;
  readonly validation: Examples | null;
  /** The recipe's settings. */
  readonly recipe: Section<NonNullable<Recipe["train"]["diagnostics"]>>;
  /** Examples that are computed at once. */
  readonly batchSize: number;
  readonly task: Task;
}

/** The effective rank of a matrix with these singular values; 0 if all are 0. */
export function effectiveRank(singularValues: ArrayLike<number>): number {
  const values = Array.from(singularValues);
  const sum = values.reduce((total, value) => total + value, 0);
  if (sum === 0) return 0;
  const parts = values.map((value) => value / sum).filter((part) => part > 0);
  return Math.exp(-parts.reduce((entropy, part) => entropy + part * Math.log(part), 0));
}

/** Looks at weights and predictions after each epoch and writes it to the run's log; training is not changed by it. */
export class Diagnostics {
  readonly #names: readonly string[];
  readonly #singularValues: number;
  /** The matrices one epoch before, if that is known. */
  #before: ReadonlyMap<string, Float64Array> | null = null;
  #taught: Float64Array | null = null;

  /** @throws UserError with line and column for a pattern that matches no matrix */
  constructor(private readonly setup: DiagnosticsSetup) {
    const { recipe, student: { model } } = setup;
    const { layers, singularValues } = recipe.value;
    const matrices = model.parameters.filter(({ trainable, shape }) => trainable && shape.length >= 2);
    const refuse = (_: number, sentence: string) => recipe.error(["layers"], sentence);
    this.#names = [...assignLayers([{ layers }], matrices.map(({ name }) => name), refuse).keys()];
    this.#singularValues = singularValues;
  }

  /**
   * Training begins or goes on.
   *
   * @param wholeEpoch whether an epoch begins here
   */
  async begin(wholeEpoch: boolean): Promise<void> {
    this.#before = wholeEpoch ? await this.#read() : null;
  }

  /** Writes what the epoch did. @returns the singular values that it took, all of them */
  async endEpoch(log: MetricsLog, { step, epoch, decided }: EndedEpoch): Promise<Spectra> {
    const now = await this.#read();
    const sizes = matrixSizes(this.setup.student);
    const matrices: Record<string, MatrixDiagnostics> = {};
    const spectra = new Map<string, Float64Array>();
    for (const [name, matrix] of now) {
      const singularValues = await singularValuesOf(this.setup.ops, matrix, sizes.get(name)!);
      spectra.set(name, singularValues);
      matrices[name] = this.#describe(name, matrix, singularValues);
    }
    this.#before = now;
    const diagnostics: EpochDiagnostics = { matrices, agreement: await this.#agreement(decided) };
    await log.write({ step, epoch, diagnostics });
    return spectra;
  }

  /** Whether it asks what the student decides about each validation example. */
  get looksAtAnswers(): boolean {
    const { teacher, validation, task } = this.setup;
    return teacher !== null && validation !== null && task !== "regression" && teacher.knows?.(validation) !== false;
  }

  #read(): Promise<Map<string, Float64Array>> {
    return readMatrices(this.setup.ops, this.setup.student, this.#names);
  }

  #describe(name: string, matrix: Float64Array, singularValues: Float64Array): MatrixDiagnostics {
    const before = this.#before?.get(name);
    return {
      relativeStep: before ? norm(matrix.map((value, i) => value - before[i])) / norm(before) : null,
      effectiveRank: effectiveRank(singularValues),
      singularValues: [...singularValues.slice(0, this.#singularValues)],
    };
  }

  async #agreement(own: Float64Array | null): Promise<number | null> {
    const { ops, teacher, validation, task, batchSize } = this.setup;
    if (!teacher || !validation || !own) return null;
    const { model, weights } = teacher;
    const taught = this.#taught ?? await decisionsOf(ops, { model, weights, examples: validation, task, batchSize });
    if (!teacher.learns) this.#taught = taught;
    return task === "embedding" ? vectorAgreement(own, taught, validation.length) : agreementOf(task, own, taught);
  }
}
