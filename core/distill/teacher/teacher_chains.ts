import { coreTensors } from "../../mpo/chain.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Model } from "../../plugin/model.ts";
import type { Tensor } from "../../tensor.ts";
import type { ChainMap, ChainSpec } from "../../plugin/chains.ts";
import { decomposeWeight } from "../student/chain_specs.ts";

/**
 * The chains that losses may compare.
 *
 * @param own takes the teacher's cores that a loss asks for, to be freed with the run
 */
export function chainsForLosses(
  ops: Ops,
  chains: ReadonlyMap<string, ChainSpec>,
  student: Model,
  teacher: { readonly model: Model; readonly numbers: ReadonlyMap<string, Float32Array> } | null,
  own: (core: Tensor) => void,
): ChainMap {
  const shapesOf = (model: Model | undefined) => new Map(model?.parameters.map(({ name, shape }) => [name, shape]));
  const shapes = { student: shapesOf(student), teacher: shapesOf(teacher?.model) };
  const decomposeTeacher = async (teacherName: string, studentName: string): Promise<Tensor[]> => {
    const chain = await decomposeWeight(
      ops.device,
      teacher!.numbers.get(teacherName)!,
      shapes.teacher.get(teacherName)!,
      chains.get(studentName)!,
    );
    const tensors = coreTensors(ops, chain).map((core) => ops.keep(core));
    tensors.forEach(own);
    return tensors;
  };
  return { student: chains, shapes, decomposeTeacher };
}
