import { coreTensors } from "../../mpo/chain.ts";
import type { Ops } from "../../ops/ops.ts";
import { decomposeWeight } from "../../overparameterise/mpo.ts";
import type { WeightProvider } from "../../overparameterise/weight_provider.ts";
import type { ChainMap } from "../../plugin/chains.ts";
import type { Model } from "../../plugin/model.ts";
import type { Tensor } from "../../tensor.ts";

/**
 * The chains that losses may compare.
 *
 * @param own takes the teacher's cores that a loss asks for, to be freed with the run
 */
export function chainsForLosses(
  ops: Ops,
  providers: ReadonlyMap<string, WeightProvider>,
  student: Model,
  teacher: { readonly model: Model; readonly numbers: ReadonlyMap<string, Float32Array> } | null,
  own: (core: Tensor) => void,
): ChainMap {
  const held = [...providers];
  const chains = new Map(held.flatMap(([name, { chain }]) => chain ? [[name, chain] as const] : []));
  const others = new Map(held.flatMap(([name, { chain, use }]) => chain ? [] : [[name, use] as const]));
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
  return { student: chains, others, shapes, decomposeTeacher };
}
