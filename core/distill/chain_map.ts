import type { Tensor } from "../tensor.ts";

/** The shape of one weight that is trained as a chain. */
export interface ChainShape {
  /** Factors of the matrix's rows (outputs), one for each core. */
  readonly rows: readonly number[];
  /** Factors of its columns (inputs times kernel area). */
  readonly cols: readonly number[];
  readonly gauge: "balanced" | "left" | "right";
}

/** The chains of a run: the student's, and the teacher's made alike on request. */
export interface ChainMap {
  /** The student's chains by the name of the weight, in the model's order. */
  readonly student: ReadonlyMap<string, ChainShape>;
  /** Shapes of the weights by name; the teacher's is empty without a teacher. */
  readonly shapes: {
    readonly student: ReadonlyMap<string, readonly number[]>;
    readonly teacher: ReadonlyMap<string, readonly number[]>;
  };
  /** Decomposes a teacher's weight as the student's weight is decomposed: the cores, which live as long as the run. */
  decomposeTeacher(teacherName: string, studentName: string): Promise<readonly Tensor[]>;
}
