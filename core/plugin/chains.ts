import type { Gauge } from "../mpo/gauge.ts";
import type { Factors } from "../mpo/shapes.ts";
import type { Tensor } from "../tensor.ts";

/** How one weight is decomposed: its rows are the outputs, its columns the inputs times the kernel's area. */
export interface ChainSpec extends Factors {
  /** How the singular values of its bonds are shared out. */
  readonly gauge: Gauge;
}

/** The chains of a run: the student's, and the teacher's made alike on request. */
export interface ChainMap {
  /** The student's chains by the name of the weight, in the model's order. */
  readonly student: ReadonlyMap<string, ChainSpec>;
  /** Kinds of the student's over-parameterised weights that are no chains and have no cores, by name: `sum`. */
  readonly others: ReadonlyMap<string, string>;
  /** Shapes of the weights by name; the teacher's is empty without a teacher. */
  readonly shapes: {
    readonly student: ReadonlyMap<string, readonly number[]>;
    readonly teacher: ReadonlyMap<string, readonly number[]>;
  };
  /** Decomposes a teacher's weight as the student's weight is decomposed: the cores, which live as long as the run. */
  decomposeTeacher(teacherName: string, studentName: string): Promise<readonly Tensor[]>;
}
