import { UserError } from "../../errors.ts";
import { coreTensors } from "../../mpo/chain.ts";
import type { Ops } from "../../ops/ops.ts";
import { chainProvider, decomposeWeight } from "../../overparameterise/mpo.ts";
import type { OverParameterised, WeightProvider } from "../../overparameterise/weight_provider.ts";
import type { ChainMap } from "../../plugin/chains.ts";
import type { Model } from "../../plugin/model.ts";
import type { Tensor } from "../../tensor.ts";

/** A weight of the teacher that losses asked for as a chain. */
export interface AlignedChain {
  readonly held: OverParameterised;
  /** The cores that each of them was given. */
  readonly copies: (readonly Tensor[])[];
}

/** Takes down which weights of the teacher losses ask for as chains, so that these can follow a teacher that learns. */
export class AlignedChains {
  /** By the teacher's weight. */
  readonly chains: Map<string, AlignedChain> = new Map();

  /** @throws UserError if the same weight was asked for as another chain */
  add(name: string, held: OverParameterised, cores: readonly Tensor[]): void {
    const shown = ({ provider: { chain } }: OverParameterised) =>
      JSON.stringify([chain!.rows, chain!.cols, chain!.gauge]);
    const known = this.chains.get(name);
    if (known && shown(known.held) !== shown(held)) {
      throw new UserError(
        `Cannot compare the teacher's "${name}" as two different chains while it learns: give the student's weights that ` +
          "are paired with it chains of the same factors",
      );
    }
    if (known) known.copies.push(cores);
    else this.chains.set(name, { held, copies: [cores] });
  }
}

/**
 * The chains that losses may compare.
 *
 * @param own takes the teacher's cores that a loss asks for, to be freed with the run
 * @param aligned takes down what losses ask for, where the teacher learns
 */
export function chainsForLosses(
  ops: Ops,
  providers: ReadonlyMap<string, WeightProvider>,
  student: Model,
  teacher: { readonly model: Model; readonly numbers: ReadonlyMap<string, Float32Array> } | null,
  own: (core: Tensor) => void,
  aligned: AlignedChains | null = null,
): ChainMap {
  const held = [...providers];
  const chains = new Map(held.flatMap(([name, { chain }]) => chain ? [[name, chain] as const] : []));
  const others = new Map(held.flatMap(([name, { chain, use }]) => chain ? [] : [[name, use] as const]));
  const shapesOf = (model: Model | undefined) => new Map(model?.parameters.map(({ name, shape }) => [name, shape]));
  const shapes = { student: shapesOf(student), teacher: shapesOf(teacher?.model) };
  const decomposeTeacher = async (teacherName: string, studentName: string): Promise<Tensor[]> => {
    const spec = chains.get(studentName)!;
    const shape = shapes.teacher.get(teacherName)!;
    const chain = await decomposeWeight(ops.device, teacher!.numbers.get(teacherName)!, shape, spec);
    const tensors = coreTensors(ops, chain).map((core) => ops.keep(core));
    tensors.forEach(own);
    aligned?.add(teacherName, { provider: chainProvider(spec, shape), start: chain.cores }, tensors);
    return tensors;
  };
  return { student: chains, others, shapes, decomposeTeacher };
}
