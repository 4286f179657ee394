import type { ParameterStore } from "../../nn/parameter_store.ts";
import { namedParts } from "../../nn/tensor_store.ts";
import type { Tensor } from "../../tensor.ts";
import type { Student } from "../student/student.ts";
import type { TrainingStep } from "./training_step.ts";

/** What training changes. */
export interface LiveParts {
  readonly student: Student;
  readonly step: TrainingStep;
  readonly lossParameters: ParameterStore;
  /** What the losses keep from step to step, by name. */
  readonly lossState: ReadonlyMap<string, Tensor>;
}

/** Every tensor that the next step depends on, by the name it has in a checkpoint. */
export function liveTensors({ student, step, lossParameters, lossState }: LiveParts): Map<string, Tensor> {
  const stores = { ...student.stores(), losses: lossParameters };
  const entries = Object.entries(stores).flatMap(([name, store]) => namedParts(name, store));
  const states = Object.entries(step.groups).flatMap(([name, { optimiser }]) =>
    [...optimiser.state].map(([part, tensor]): [string, Tensor] => [`${name}.${part}`, tensor])
  );
  const kept = [...lossState].map(([name, tensor]): [string, Tensor] => [`state of ${name}`, tensor]);
  return new Map([...entries, ...states, ...kept]);
}
