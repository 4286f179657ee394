import { UserError } from "../../../errors.ts";
import { isValue, type Step, type Trace, type Value, valuesIn } from "../../../onnx/trace.ts";
import type { Ops } from "../../../ops/ops.ts";
import type { Tensor } from "../../../tensor.ts";
import type { TraceRun } from "../run_trace.ts";
import { type Layer, Layers } from "./layers.ts";
import {
  type Box,
  boxRule,
  divided,
  epsilonRule,
  goBack,
  perExample,
  positiveRule,
  type Shared,
  weightRule,
} from "./rules.ts";

/** The rule of layers: of all, or `composite`: z+ for convolutions, epsilon for matrices. */
export type LrpRule = "composite" | "epsilon" | "z+";

/** The rule of layers that read the inputs themselves; `same`: that of the others. */
export type FirstRule = "z-box" | "w2" | "flat" | "same";

/** How relevance goes back. */
export interface LrpSettings {
  readonly rule: LrpRule;
  readonly first: FirstRule;
  /** Added to what is divided by, on its side of 0. */
  readonly epsilon: number;
  /** The least and the most that the inputs of each channel can be, for `z-box`. */
  readonly bounds: { readonly low: readonly number[]; readonly high: readonly number[] } | null;
}

/** What answers of a batch come from. */
export interface Relevance {
  /** In the shape of what is explained: images, or embeddings of tokens `[batch, length, width]`. */
  readonly relevance: Tensor;
  /** What biases took, `[batch]`: with it, the relevances add up to what was explained. */
  readonly biases: Tensor;
}

/** Operations that move numbers, and relevance with them. */
const MOVES = new Set(["reshape", "permute", "slice", "concat", "expand", "maxPool2d"]);
/** Operations that move them one to one, so that what bounds their inputs bounds what they give. */
const KEEPS = new Set(["reshape", "permute", "slice"]);
/** Functions of each number by itself that are 0 at 0: relevance passes them. */
const PASSES = new Set(["relu", "relu6", "gelu", "geluTanh", "silu", "hardSwish", "tanh"]);
/** Sums of several inputs or places; each gets in proportion to what it adds. */
const SUMS = new Set(["add", "subtract", "negate", "complement", "scale", "offset", "mean", "sum", "averagePool2d"]);
/** What gives no negative numbers; with them, one of these gives none either. */
const POSITIVE = new Set(["relu", "relu6"]);
const STAYS_POSITIVE = new Set(["reshape", "permute", "slice", "maxPool2d", "averagePool2d", "mean", "sum"]);

/** The value that is explained: images, or the embeddings of tokens. @throws UserError if the logits follow neither */
export function explainedValue(trace: Trace): Value {
  const isTokens = (value: Value): boolean =>
    value.source.kind === "input"
      ? value.source.entry === "tokens"
      : value.source.kind === "step" && value.source.step.arguments.flatMap(valuesIn).some(isTokens);
  const taken = new Set(trace.steps.flatMap(({ arguments: args }) => args.flatMap(valuesIn)));
  for (const value of taken) if (value.source.kind === "input" && value.source.entry === "image") return value;
  const looked = trace.steps.filter(({ name, arguments: [, indices] }) =>
    name === "embedding" && isValue(indices) && isTokens(indices)
  );
  if (looked.length === 1) return looked[0].output;
  throw new UserError(
    `Cannot explain the model by LRP as its logits follow ${
      looked.length === 0 ? "neither images nor" : `${looked.length} tables of`
    } embeddings of tokens: expected ${looked.length === 0 ? "one of them" : "one"}`,
  );
}

/** Which values follow what is explained. */
export function followers(trace: Trace, explained: Value): ReadonlySet<Value> {
  const found = new Set([explained]);
  for (const { arguments: args, output } of trace.steps) {
    if (args.flatMap(valuesIn).some((value) => found.has(value))) found.add(output);
  }
  return found;
}

/**
 * Whether LRP has a rule for all that a model does between what is explained and its logits.
 *
 * @throws UserError naming the operation that it has none for
 */
export function checkLrp(trace: Trace): void {
  const found = followers(trace, explainedValue(trace));
  for (const step of trace.steps) {
    if (!found.has(step.output) || !step.arguments.flatMap(valuesIn).some((value) => found.has(value))) continue;
    const following = step.arguments.flatMap(valuesIn).filter((value) => found.has(value)).length;
    const [first] = step.arguments;
    const { name } = step;
    if (MOVES.has(name) || PASSES.has(name) || SUMS.has(name)) continue;
    if (name === "clampMinimum" && step.arguments[1] === 0) continue;
    const isOfFirst = isValue(first) && found.has(first) && following === 1;
    if (["conv2d", "linear", "divide"].includes(name) && isOfFirst) continue;
    if (["multiply", "matmul"].includes(name) && following === 1) continue;
    const numbers = step.arguments.slice(1, 4).flatMap(valuesIn);
    if (name === "batchNorm" && isValue(first) && found.has(first) && !numbers.some((value) => found.has(value))) {
      continue;
    }
    const both = ["multiply", "matmul", "divide"].includes(name) ? " of values that both follow the input" : "";
    throw new UserError(
      `Cannot explain the model by LRP as its forward pass uses the operation ${name}${both}, which relevance has no ` +
        "rule for here: LRP covers convolutions, matrices, batch norm, ReLU and its like, pooling and residual sums",
    );
  }
}

/**
 * Layer-wise relevance propagation (Bach et al. 2015, doi 10.1371/journal.pone.0130140): shares a logit of each example
 * out among its inputs, layer by layer back, so that it stays the same in sum. The graph is that of the model's own
 * forward pass; batch norm goes into the layer before it.
 *
 * @param relevance of the logits, in their shape
 * @throws UserError naming an operation that there is no rule for
 */
export function propagate(ops: Ops, run: TraceRun, relevance: Tensor, settings: LrpSettings): Relevance {
  checkLrp(run.trace);
  return new Propagation(ops, run, settings).from(relevance);
}

class Propagation {
  readonly #explained: Value;
  readonly #followers: ReadonlySet<Value>;
  readonly #layers: Layers;
  readonly #relevances = new Map<Value, Tensor>();
  readonly #biases: Tensor[] = [];
  /** What must outlive the operation that relevance goes back through. */
  #made: Tensor[] = [];

  constructor(private readonly ops: Ops, private readonly run: TraceRun, private readonly settings: LrpSettings) {
    this.#explained = explainedValue(run.trace);
    this.#followers = followers(run.trace, this.#explained);
    this.#layers = new Layers(ops, run, (value) => this.#followers.has(value));
  }

  from(relevance: Tensor): Relevance {
    const { ops, run } = this;
    this.#give(run.trace.logits, ops.reshape(relevance, relevance.shape));
    for (const step of run.trace.steps.toReversed()) {
      const own = this.#relevances.get(step.output);
      if (!own || step.output === this.#explained) continue;
      this.#relevances.delete(step.output);
      // What was made on the way is freed before the next operation.
      ops.scope(() => {
        this.#made = [];
        this.#back(step, own);
        return this.#made;
      });
      own.dispose();
    }
    const none = () => ops.full(run.get(this.#explained).shape, 0);
    return {
      relevance: this.#relevances.get(this.#explained) ?? none(),
      biases: ops.total([ops.full([run.examples], 0), ...this.#biases]),
    };
  }

  /** Adds to the relevance of a value. */
  #give(value: Value, relevance: Tensor): void {
    const before = this.#relevances.get(value);
    const sum = before ? this.ops.add(before, relevance) : relevance;
    before?.dispose();
    this.#relevances.set(value, sum);
    this.#made.push(sum);
  }

  #take(bias: Tensor): void {
    this.#biases.push(bias);
    this.#made.push(bias);
  }

  #back(step: Step, relevance: Tensor): void {
    const { ops, run } = this;
    const layer = this.#layers.of(step);
    if (step.name === "batchNorm") return this.#normed(step, layer!, relevance);
    if (layer) return this.#through(layer, relevance);
    const inputs = this.#inputs(step);
    if (PASSES.has(step.name) || step.name === "clampMinimum") {
      return this.#give(inputs[0], ops.reshape(relevance, relevance.shape));
    }
    if (MOVES.has(step.name)) {
      const parts = this.#gradients(step, inputs, () => relevance);
      return inputs.forEach((value, index) => this.#give(value, parts[index]));
    }
    let shares = relevance;
    const parts = this.#gradients(
      step,
      inputs,
      (output) => shares = divided(ops, relevance, output, this.settings.epsilon),
    );
    inputs.forEach((value, index) => this.#give(value, ops.multiply(run.get(value), parts[index])));
    if (["offset", "complement"].includes(step.name) || this.#hasConstant(step)) {
      const rest = run.again(
        step,
        (value) => this.#followers.has(value) ? ops.full(run.get(value).shape, 0) : run.get(value),
      );
      this.#take(perExample(ops, ops.multiply(rest, shares), run.examples));
    }
  }

  #hasConstant({ name, arguments: args }: Step): boolean {
    return (name === "add" || name === "subtract") &&
      args.flatMap(valuesIn).some((value) => !this.#followers.has(value));
  }

  /** The values among a step's that follow what is explained, each once. */
  #inputs(step: Step): Value[] {
    return [...new Set(step.arguments.flatMap(valuesIn))].filter((value) => this.#followers.has(value));
  }

  #gradients(step: Step, inputs: readonly Value[], weigh: (output: Tensor) => Tensor): Tensor[] {
    const { run } = this;
    return goBack(
      this.ops,
      inputs.map((value) => run.get(value)),
      () => run.again(step, (value) => run.get(value)),
      weigh,
    );
  }

  /** A batch norm: what is added to it has its part first, the layer the rest. */
  #normed({ arguments: args }: Step, layer: Layer, relevance: Tensor): void {
    const { ops, run } = this;
    const residual = args[4];
    if (!isValue(residual)) return this.#through(layer, relevance);
    const added = run.get(residual);
    if (!this.#followers.has(residual)) {
      return this.#through({ ...layer, bias: layer.bias ? ops.add(layer.bias, added) : added }, relevance);
    }
    const own = layer.apply(run.get(layer.x), layer.weight);
    const normed = layer.bias ? ops.add(own, layer.bias) : own;
    const shares = divided(ops, relevance, ops.add(normed, added), this.settings.epsilon);
    this.#give(residual, ops.multiply(added, shares));
    this.#through(layer, ops.multiply(normed, shares));
  }

  #through(layer: Layer, relevance: Tensor): void {
    const { relevance: own, bias } = this.#shared(layer, relevance);
    this.#give(layer.x, own);
    if (bias) this.#take(bias);
  }

  #shared(layer: Layer, relevance: Tensor): Shared {
    const { ops, run, settings: { rule, first, epsilon } } = this;
    const call = { ops, layer, x: run.get(layer.x), relevance, epsilon, examples: run.examples };
    if (first !== "same" && layer.kind !== "affine" && this.#isInput(layer.x)) {
      return first === "z-box" ? boxRule(call, this.#boxOf(layer.x)) : weightRule(call, first);
    }
    const isPositive = rule === "z+" || rule === "composite" && layer.kind === "conv2d";
    if (isPositive && layer.kind !== "affine") return positiveRule(call, this.#isNeverNegative(layer.x));
    return epsilonRule(call);
  }

  /** Whether a value has the inputs' own numbers. */
  #isInput(value: Value): boolean {
    if (value === this.#explained) return true;
    if (value.source.kind !== "step" || !KEEPS.has(value.source.step.name)) return false;
    return this.#isInput(value.source.step.arguments[0] as Value);
  }

  /** What bounds a value that has the inputs' own numbers. */
  #boxOf(value: Value): Box {
    const { run, ops, settings: { bounds } } = this;
    if (!bounds) throw new Error("Cannot follow the z-box rule without bounds");
    const filled = (value: Value, each: readonly number[]): Tensor => {
      const { source } = value;
      if (value !== this.#explained && source.kind === "step") {
        return run.again(source.step, (from) => filled(from, each));
      }
      return ops.expand(ops.tensor(each), run.get(value).shape);
    };
    return { low: filled(value, bounds.low), high: filled(value, bounds.high) };
  }

  #isNeverNegative({ source }: Value): boolean {
    if (source.kind !== "step") return false;
    const { name, arguments: [first, , , options] } = source.step;
    if (POSITIVE.has(name)) return true;
    if (name === "batchNorm") return (options as { activation?: string }).activation !== undefined;
    return STAYS_POSITIVE.has(name) && this.#isNeverNegative(first as Value);
  }
}
