import { sizesOnly } from "../backend/sizes_only.ts";
import { UserError } from "../errors.ts";
import { type Weights, weightsFrom } from "../nn/weights.ts";
import { createOps, type Ops } from "../ops/ops.ts";
import { sizeOf, Tensor } from "../tensor.ts";
import { batchFor, upload } from "./batch.ts";
import type { Batch, HostTensor } from "./dataset.ts";
import { factorNames, factorShapes, joinFactors, type Ranks, splitFactors } from "./factors.ts";
import type { FileTensors, ForwardCall, Model, ParameterSpec } from "./model.ts";

/** The key of a config.json under which a model of factors says its ranks. */
export const FACTORS = "factors";

/** What a config.json says of a model of factors. */
export interface FactorsEntry {
  /** By the names of the weights. */
  readonly ranks: Readonly<Record<string, number>>;
  /** Entries by which other programs would take it for a model without, and load it wrongly. */
  readonly hidden: Readonly<Record<string, unknown>>;
}

/** By these other programs choose a class, whose weights would be fresh ones where there are factors. */
const HIDDEN = ["model_type", "architectures"];

/**
 * A model of whose weights some are two factors each, `W = up down`: it multiplies by one after the other, and never by
 * their product. Its own `forward` asks for the weight by name, as ever, and what it does with it, a linear map or a
 * convolution, is done in two.
 *
 * @param ranks of the weights that are factors, at least one
 * @throws UserError for a name of no weight, and a rank that the weight cannot have
 */
export function factoredModel(model: Model, ranks: Ranks): Model {
  const whole = new Map(model.parameters.map((spec) => [spec.name, spec]));
  for (const [name, rank] of ranks) {
    const spec = whole.get(name);
    if (spec && Number.isInteger(rank) && rank >= 1 && spec.shape.length > 1) continue;
    throw new UserError(
      `Cannot take factors of rank ${rank} for ${name}: expected a weight of the model and a rank from 1`,
    );
  }
  const shapeOf = (name: string) => whole.get(name)!.shape;
  const parts = (spec: ParameterSpec): ParameterSpec[] => {
    const rank = ranks.get(spec.name);
    if (rank === undefined) return [spec];
    const [names, shapes] = [factorNames(spec.name), factorShapes(spec.shape, rank)];
    return (["down", "up"] as const).map((part) => ({
      ...spec,
      name: names[part],
      shape: shapes[part],
      overParameterisable: false,
      byRows: false,
    }));
  };
  const inner = (call: ForwardCall): ForwardCall => throughFactors(call, ranks, shapeOf);
  const { classifier, head, innerWidths: _, runLayer, config, ...rest } = model;
  const shown = Object.fromEntries(Object.entries(config).filter(([key]) => !HIDDEN.includes(key)));
  const hidden = Object.fromEntries(Object.entries(config).filter(([key]) => HIDDEN.includes(key)));
  const factored: Model = {
    ...rest,
    parameters: model.parameters.flatMap(parts),
    ...classifier !== undefined && !ranks.has(classifier) && { classifier },
    ...head && { head: head.filter((name) => !ranks.has(name)) },
    config: { ...shown, [FACTORS]: { ranks: Object.fromEntries(ranks), hidden } satisfies FactorsEntry },
    fromForeign: (name) => model.fromForeign(name),
    ...model.explain && { explain: (shapes) => model.explain!(shapes) },
    forward: (call) => model.forward(inner(call)),
    ...runLayer && { runLayer: (call, layer, x) => model.runLayer!(inner(call), layer, x) },
    ...model.hostOutputs && { hostOutputs: (batch, wanted) => model.hostOutputs!(batch, wanted) },
    fromFile(tensors, source) {
      const formed = model.fromFile?.(tensors, source) ?? tensors;
      // A weight that is stated whole here stays so, and is missed under the names of its factors.
      return new Map(
        [...formed].flatMap(([name, tensor]) =>
          ranks.has(name) ? [...splitFactors(new Map([[name, tensor]]))] : [[name, tensor] as const]
        ),
      );
    },
    toFile(tensors) {
      const joined = joinFactors(tensors);
      const stored = model.toFile?.(joined) ?? joined;
      expectKept(ranks, joined, stored);
      return splitFactors(stored);
    },
  };
  wholes.set(factored, model);
  return factored;
}

/**
 * Looks whether a model does with some weights what can be done with factors, on sizes alone.
 *
 * @param batch of one example
 * @throws UserError with the weight's name if it does not, or its files cannot have factors
 */
export function tryFactors(ops: Ops, model: Model, names: readonly string[], batch: Batch<HostTensor>): void {
  const factored = factoredModel(model, new Map(names.map((name) => [name, 1])));
  const looking = createOps(sizesOnly(ops.backend));
  const { parameters } = factored;
  const weights = weightsFrom(new Map(parameters.map(({ name, shape }) => [name, looking.device.empty(shape)])));
  looking.scope(() => {
    const inputs = upload(looking, batchFor(model, batch));
    factored.forward({ ops: looking, weights, batch: inputs, training: false, randomSeed: () => 0 });
  });
  factored.toFile!(
    new Map(parameters.map(({ name, shape }) => {
      return [name, { shape, numbers: () => new Float32Array(sizeOf(shape)) }];
    })),
  );
}

/** The models without factors, by those that have some. */
const wholes = new WeakMap<Model, Model>();

/** A model and its numbers with each pair of factors as the weight that they are of; any other as it is. */
export function wholeOf(
  model: Model,
  numbers: ReadonlyMap<string, Float32Array>,
): { readonly model: Model; readonly numbers: ReadonlyMap<string, Float32Array> } {
  const whole = wholes.get(model);
  if (!whole) return { model, numbers };
  const own = model.parameters.flatMap(({ name, shape }) => {
    const data = numbers.get(name);
    return data ? [[name, { shape, numbers: () => data }] as const] : [];
  });
  return {
    model: whole,
    numbers: new Map([...joinFactors(new Map(own))].map(([name, tensor]) => [name, tensor.numbers()])),
  };
}

function expectKept(ranks: Ranks, own: FileTensors, stored: FileTensors): void {
  const kept = new Set(stored.values());
  const lost = [...ranks.keys()].find((name) => !kept.has(own.get(name)!));
  if (lost === undefined) return;
  throw new UserError(
    `Cannot keep ${lost} as factors: the model's files hold it in another form, together with others`,
  );
}

/** The factors of a weight on the backend. */
interface Factors {
  readonly down: Tensor;
  readonly up: Tensor;
}

/** A forward pass in which what a model does with some weights is done with their factors. */
function throughFactors(
  call: ForwardCall,
  ranks: Ranks,
  shapeOf: (name: string) => readonly number[],
): ForwardCall {
  const { ops, weights } = call;
  // What the model holds in its hands for a weight: a shape, of which nothing can be computed.
  const nowhere = sizesOnly(ops.backend);
  const standins = new Map<Tensor, Factors & { readonly name: string }>();
  const standIn = (name: string, shape: readonly number[], factors: Factors) => {
    const tensor = Tensor.allocate(nowhere, shape);
    standins.set(tensor, { name, ...factors });
    return tensor;
  };
  const factorsOf = (name: string) => {
    const { down, up } = factorNames(name);
    return standIn(name, shapeOf(name), { down: weights.get(down), up: weights.get(up) });
  };
  const named: Weights = {
    get: (name) => ranks.has(name) ? factorsOf(name) : weights.get(name),
    rows: (name) => ranks.has(name) ? [factorsOf(name)] : weights.rows(name),
    cores: (name) => ranks.has(name) ? null : weights.cores(name),
  };
  const own: Partial<Ops> = {
    linear(x, weight, bias) {
      const factors = standins.get(weight);
      if (!factors || standins.has(x)) return guarded.linear(x, weight, bias);
      return ops.linear(ops.linear(x, factors.down), factors.up, bias);
    },
    matmul(a, b, options = {}) {
      const factors = standins.get(b);
      if (!factors || !options.transposeB || standins.has(a)) return guarded.matmul(a, b, options);
      return ops.matmul(ops.matmul(a, factors.down, options), factors.up, { transposeB: true });
    },
    conv2d(x, filter, options = {}) {
      const factors = standins.get(filter);
      if (!factors || (options.groups ?? 1) !== 1) return guarded.conv2d(x, filter, options);
      return ops.conv2d(ops.conv2d(x, factors.down, options), factors.up);
    },
    convBatchNorm(x, filter, convolution, weight, bias, norm, residual) {
      if (!standins.has(filter)) return guarded.convBatchNorm(x, filter, convolution, weight, bias, norm, residual);
      return guarded.batchNorm(own.conv2d!(x, filter, convolution), weight, bias, norm, residual);
    },
    // Of a filter of single pixels, which is used as a matrix.
    reshape(x, shape) {
      const factors = standins.get(x);
      if (!factors || shape.length !== 2 || shape[0] !== x.shape[0]) return guarded.reshape(x, shape);
      const { down, up } = factorShapes(shape, factors.down.shape[0]);
      const reshaped = { down: ops.reshape(factors.down, down), up: ops.reshape(factors.up, up) };
      return standIn(factors.name, shape, reshaped);
    },
  };
  const guarded = guard(ops, (argument) => standins.get(argument)?.name ?? null);
  return { ...call, ops: { ...guarded, ...own }, weights: named };
}

/** Operations that refuse weights which are factors. */
function guard(ops: Ops, factored: (tensor: Tensor) => string | null): Ops {
  const refuse = (operation: string, given: unknown) => {
    for (const argument of Array.isArray(given) ? given : [given]) {
      const name = argument instanceof Tensor ? factored(argument) : null;
      if (name === null) continue;
      throw new UserError(
        `Cannot keep ${name} as factors: the model uses it in ${operation}, and expected is a linear layer, or a ` +
          "convolution without groups",
      );
    }
  };
  return Object.fromEntries(
    Object.entries(ops).map(([operation, value]) => {
      if (typeof value !== "function") return [operation, value];
      return [operation, (...args: unknown[]) => {
        for (const argument of args) refuse(operation, argument);
        return (value as (...args: unknown[]) => unknown)(...args);
      }];
    }),
  ) as unknown as Ops;
}
