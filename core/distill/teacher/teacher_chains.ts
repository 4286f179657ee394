import { UserError } from "../../errors.ts";
import { type Chain, coreTensors } from "../../mpo/chain.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Model } from "../../plugin/model.ts";
import type { Tensor } from "../../tensor.ts";
import type { ChainMap, ChainSpec } from "../../plugin/chains.ts";
import { decomposeWeight } from "../student/chain_specs.ts";

/** A weight of the teacher that losses asked for as a chain. */
export interface AlignedChain {
  readonly chain: Chain;
  /** The cores that each of them was given. */
  readonly copies: (readonly Tensor[])[];
}

/** Takes down which weights of the teacher losses ask for as chains, so that these can follow a teacher that learns. */
export class AlignedChains {
  /** By the teacher's weight. */
  readonly chains: Map<string, AlignedChain> = new Map();
  readonly #specs = new Map<string, ChainSpec>();

  /** @throws UserError if the same weight was asked for as another chain */
  add(name: string, spec: ChainSpec, chain: Chain, cores: readonly Tensor[]): void {
    const shown = (of: ChainSpec | undefined) => of && JSON.stringify([of.rows, of.cols, of.gauge]);
    const known = this.chains.get(name);
    if (known && shown(this.#specs.get(name)) !== shown(spec)) {
      throw new UserError(
        `Cannot compare the teacher's "${name}" as two different chains while it learns: give the student's weights that ` +
          "are paired with it chains of the same factors",
      );
    }
    this.#specs.set(name, spec);
    if (known) known.copies.push(cores);
    else this.chains.set(name, { chain, copies: [cores] });
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
  chains: ReadonlyMap<string, ChainSpec>,
  student: Model,
  teacher: { readonly model: Model; readonly numbers: ReadonlyMap<string, Float32Array> } | null,
  own: (core: Tensor) => void,
  aligned: AlignedChains | null = null,
): ChainMap {
  const shapesOf = (model: Model | undefined) => new Map(model?.parameters.map(({ name, shape }) => [name, shape]));
  const shapes = { student: shapesOf(student), teacher: shapesOf(teacher?.model) };
  const decomposeTeacher = async (teacherName: string, studentName: string): Promise<Tensor[]> => {
    const spec = chains.get(studentName)!;
    const shape = shapes.teacher.get(teacherName)!;
    const chain = await decomposeWeight(ops.device, teacher!.numbers.get(teacherName)!, shape, spec);
    const tensors = coreTensors(ops, chain).map((core) => ops.keep(core));
    tensors.forEach(own);
    aligned?.add(teacherName, spec, chain, tensors);
    return tensors;
  };
  return { student: chains, shapes, decomposeTeacher };
}
