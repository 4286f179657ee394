import { Random } from "../../data/random.ts";
import type { ChainMap, ChainSpec } from "../chains.ts";
import { coreTensors } from "../../mpo/chain.ts";
import { decomposeMatrix } from "../../mpo/decompose.ts";
import type { Ops } from "../../ops/ops.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import type { Model, ParameterSpec } from "../model.ts";

/** The weights that are chains, as those of the student are. */
const CHAINED = ["layer1.0.conv1.weight", "layer2.0.conv1.weight"];
const SHAPE = [6, 8];
const SPEC: ChainSpec = { rows: [3, 1, 2], cols: [4, 1, 2], gauge: "balanced" };

/** A made-up model's weights, over-parameterised ones as cores. */
export interface MadeUpWeights {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly cores: ReadonlyMap<string, readonly Tensor[]>;
}

/** A model that only lists what it has: two matrices that may be chains, and a last layer. */
export function madeUpModel(classes: number, width: number): Model {
  const parameter = (name: string, shape: number[]): ParameterSpec => ({
    name,
    shape,
    initialise: { use: "normal", deviation: 0.5 },
    trainable: true,
    overParameterisable: shape.length > 1,
  });
  return {
    parameters: [
      ...CHAINED.map((name) => parameter(name, SHAPE)),
      parameter("fc.weight", [classes, width]),
      parameter("fc.bias", [classes]),
    ],
    config: {},
    classifier: "fc.weight",
    forward: () => {
      throw new Error("Cannot run the student or the teacher of a check: they are made up");
    },
    fromForeign: (name) => name,
  };
}

/** Fills a made-up model's weights; `who` decides the numbers. */
export async function madeUpWeights(ops: Ops, { parameters }: Model, who: string): Promise<MadeUpWeights> {
  const random = new Random(6).split(who);
  const tensors = new Map<string, Tensor>();
  const cores = new Map<string, Tensor[]>();
  for (const { name, shape } of parameters) {
    const stream = random.split(name);
    const numbers = Float64Array.from({ length: sizeOf(shape) }, () => stream.normal());
    tensors.set(name, ops.keep(ops.tensor(numbers, shape)));
    if (!CHAINED.includes(name)) continue;
    const { chain } = await decomposeMatrix(numbers, SHAPE[0], SHAPE[1], SPEC);
    cores.set(name, coreTensors(ops, chain).map((core) => ops.keep(core)));
  }
  return { tensors, cores };
}

/** The chains of both models as losses are told them. */
export function madeUpChains(student: Model, teacher: Model, ofTeacher: MadeUpWeights): ChainMap {
  const shapes = ({ parameters }: Model) => new Map(parameters.map(({ name, shape }) => [name, shape]));
  return {
    student: new Map(CHAINED.map((name) => [name, SPEC])),
    others: new Map(),
    shapes: { student: shapes(student), teacher: shapes(teacher) },
    decomposeTeacher: (name) => Promise.resolve(ofTeacher.cores.get(name)!),
  };
}
