import type { Ops } from "../../ops/ops.ts";
import type { Weights } from "../../nn/weights.ts";
import { tracedNorm } from "../../onnx/traced_norm.ts";
import { type Argument, NotTraceable, type Step, traceModel, type Value, valuesIn } from "../../onnx/trace.ts";
import type { PoolOptions } from "../../ops/pool2d.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { Model } from "../../plugin/model.ts";
import { CURVES } from "./curves.ts";
import { isLinear, type Known, linearStep, merged } from "./linear_steps.ts";
import { type Factors, type Network, type NetworkStep, NotCovered, sizeOfOne } from "./network.ts";
import { replay } from "../replay.ts";

/**
 * A model's forward pass as a network of linear maps and functions of single numbers, found by running its own
 * `forward` on sizes: no model is known by name.
 *
 * @param exact operations in float64, for what is computed of weights alone
 * @param weights there
 * @throws NotCovered for a model that does something else, which it names
 */
export async function buildNetwork(
  exact: Ops,
  model: Model,
  weights: Weights,
  input: InputDescription,
): Promise<Network> {
  if (!input.image) throw new NotCovered("reads text");
  if (model.hostOutputs) throw new NotCovered("is computed by another library");
  const { steps: traced, logits } = trace(model, input);
  const pass = traced.flatMap(unfused);
  const changing = new Set<Value>();
  let image: Value | null = null;
  for (const { arguments: given, output } of pass) {
    const values = valuesIn(given as Argument);
    for (const value of values) {
      if (value.source.kind !== "input") continue;
      image = value;
      changing.add(value);
    }
    if (values.some((value) => changing.has(value))) changing.add(output);
  }
  if (!image || !changing.has(logits)) throw new NotCovered("gives the same answer to every image");
  const known: Known = {
    changes: (value) => changing.has(value),
    numbers: await constants(exact, weights, pass, changing),
  };
  const steps = folded(
    pass.filter(({ output }) => changing.has(output)).map((step) => classified(step, known)),
    logits,
  );
  for (const { output } of steps) sizeOfOne(output);
  return { steps, input: image, logits, pass };
}

function trace(model: Model, input: InputDescription) {
  try {
    return traceModel(model, input);
  } catch (error) {
    if (!(error instanceof NotTraceable)) throw error;
    throw new NotCovered(`cannot be written as a list of operations: ${error.message}`);
  }
}

/** A batch norm with what follows it in the same pass, as steps of their own. */
function unfused(step: Step): Step[] {
  if (step.name !== "batchNorm") return [step];
  const { x, weight, bias, residual, activation } = tracedNorm(step);
  const { activation: _, ...rest } = step.arguments[3] as Record<string, Argument>;
  const names: (readonly [name: string, more: readonly Argument[]])[] = [
    ["batchNorm", [weight, bias, rest]],
    ...(residual ? [["add", [residual]] as const] : []),
    ...(activation !== "none" ? [[activation, []] as const] : []),
  ];
  let from: Value = x;
  return names.map(([name, more], index) => {
    const output = index === names.length - 1 ? step.output : between(step.output.shape);
    const made: Step = { name, arguments: [from, ...more], output };
    if (output !== step.output) Object.assign(output, { source: { kind: "step", step: made } });
    from = output;
    return made;
  });
}

const between = (shape: Value["shape"]) => ({ shape }) as Value;

function classified(step: Step, known: Known): NetworkStep {
  const { name, output } = step;
  const inputs = [...new Set(valuesIn(step.arguments as Argument).filter(known.changes))];
  if (isLinear(step)) return linearStep(step, inputs, known);
  if (name === "maxPool2d") {
    const { size, stride = size, padding = 0 } = step.arguments[1] as unknown as PoolOptions;
    return { kind: "max-pool", name, inputs: [inputs[0]], output, options: { size, stride, padding } };
  }
  if (Object.hasOwn(CURVES, name)) return { kind: "curved", name, inputs: [inputs[0]], output, curve: CURVES[name] };
  throw new NotCovered(`uses ${name}`);
}

/** The steps with each norm put into the layer before it, where nothing else wants what that gives. */
function folded(steps: readonly NetworkStep[], logits: Value): NetworkStep[] {
  const uses = new Map<Value, number>([[logits, 1]]);
  for (const { inputs } of steps) for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const all: NetworkStep[] = [];
  for (const step of steps) {
    const at = all.findIndex(({ output }) => output === step.inputs[0]);
    const before = all[at];
    const both = step.kind === "linear" && before?.kind === "linear" && uses.get(before.output) === 1
      ? merged(before, step)
      : null;
    if (both) all[at] = both;
    else all.push(step);
  }
  return all;
}

/** What is computed of weights alone, on the host. */
async function constants(
  exact: Ops,
  weights: Weights,
  pass: readonly Step[],
  changing: ReadonlySet<Value>,
): Promise<Known["numbers"]> {
  const wanted = new Set<Value>();
  for (const { arguments: given, output } of pass) {
    if (!changing.has(output)) continue;
    for (const value of valuesIn(given as Argument)) if (!changing.has(value) && isFixed(value)) wanted.add(value);
  }
  const held = new Map<Value, ReturnType<Ops["full"]>>();
  const made = exact.scope(() => {
    const needed = new Set(wanted);
    for (const { arguments: given, output } of pass.toReversed()) {
      if (needed.has(output)) { for (const value of valuesIn(given as Argument)) needed.add(value); }
    }
    const steps = pass.filter(({ output }) => needed.has(output));
    // What none of these steps makes is a source of numbers: it is looked up by a step that gives it back.
    const sources = [...wanted].filter(({ source }) => source.kind !== "step");
    replay({ ops: exact, weights, sizes: { batch: 1, length: 1 }, held }, [...steps, ...sources.map(copied)]);
    return [...wanted].map((value) => exact.reshape(held.get(value)!, value.shape as number[]));
  });
  const numbers = await exact.read(made);
  made.forEach((tensor) => tensor.dispose());
  const known = new Map([...wanted].map((value, index): [Value, Factors] => [
    value,
    { data: numbers[index], shape: value.shape as number[] },
  ]));
  return (value) => {
    const found = known.get(value);
    if (!found) throw new NotCovered("computes its weights for each batch anew");
    return found;
  };
}

const isFixed = ({ shape }: Value) => shape.every((extent) => typeof extent === "number");

function copied(value: Value): Step {
  return { name: "reshape", arguments: [value, value.shape], output: { ...value } };
}
