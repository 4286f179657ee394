import { namedParts } from "../../nn/tensor_store.ts";
import type { Tensor } from "../../tensor.ts";
import type { LossSet } from "../losses/loss_set.ts";
import type { Student } from "../student/student.ts";
import { stateOf } from "./parameter_group.ts";
import type { TrainingStep } from "./training_step.ts";

/** Everything that training changes. */
export interface LiveParts {
  readonly student: Student;
  readonly step: TrainingStep;
  readonly losses: LossSet;
}

/** Every tensor that the next step depends on, by the name it has in a checkpoint. */
export function liveTensors({ student, step, losses }: LiveParts): Map<string, Tensor> {
  const stores = { ...student.stores(), losses: losses.parameters };
  const entries = Object.entries(stores).flatMap(([name, store]) => namedParts(name, store));
  const kept = [...losses.state].map(([name, tensor]): [string, Tensor] => [`state of ${name}`, tensor]);
  const scale = step.scaler ? [["loss scale", step.scaler.state] as const] : [];
  return new Map([...entries, ...stateOf(step.groups), ...kept, ...scale, ...step.strategy.tensors ?? []]);
}
