import { UserError } from "../../../core/errors.ts";
import type { Batch, HostTensor, InputDescription } from "../../../core/plugin/dataset.ts";
import { imagesOf, outputsOf, textOf } from "../../../core/plugin/inputs.ts";
import type { ForwardCall, ModelOutputs, OpenedModel, OpenSetup } from "../../../core/plugin/model.ts";
import { showShape, sizeOf, type Tensor } from "../../../core/tensor.ts";
import { channelsLast, compute, type Computation, RowMismatch } from "./compute.ts";
import { checkValues, probabilitiesUnsaid, type WiredInput, type WiredOutput, wireInputs, wireOutput } from "./fit.ts";
import { withOutputs } from "./graph.ts";
import { importOnnxruntime } from "./library.ts";
import type { OnnxOptions } from "./options.ts";
import { type ModelFiles, readModel } from "./read_model.ts";
import { RuntimeRefusal, Session } from "./session.ts";

/** The smallest normal float32: its logarithm stands for that of 0. */
const SMALLEST = 2 ** -126;

/** How far from 1 the sum of probabilities may be. */
const TOLERANCE = 1e-3;

/** Examples that a model is tried on: two, as one that was exported for one gives no sign of it otherwise. */
const TRIED = 2;

/** The name in a batch of what the model gives. */
const given = (name: string) => `onnx: ${name}`;

/**
 * Opens a model and tries it on two examples, so that whatever does not fit is told before training.
 *
 * @throws UserError in one sentence for all that onnxruntime refuses
 */
export async function openTeacher(
  options: OnnxOptions,
  data: InputDescription,
  setup: OpenSetup,
): Promise<OpenedModel> {
  const files = await readModel(setup);
  const start = await importOnnxruntime();
  const values = [options.pooled, ...Object.values(options.features), ...options.hidden].filter((name) => name !== null);
  checkValues(files.file, options, files.graph);
  const session = await openSession(files, options, values, start);
  try {
    const inputs = wireInputs(files.file, session.inputs, options, data);
    const own = session.outputs.filter(({ name }) => files.graph.outputs.includes(name));
    const output = wireOutput(files.file, own, files.graph, options);
    const model = modelOf({ session, inputs, padding: data.text?.padding ?? 0 }, files, output, options, data);
    tryOn(files, inputs, output, data, model.hostOutputs);
    return { model, dispose: () => session.dispose() };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** Loads the model so that it gives all values that will be asked for. */
async function openSession(
  { file, bytes, data, graph }: ModelFiles,
  options: OnnxOptions,
  values: readonly string[],
  start: Parameters<typeof Session.open>[0],
): Promise<Session> {
  const { outputs } = options;
  const main = outputs && ("logits" in outputs ? outputs.logits : outputs.probabilities);
  const zipped = main !== null && graph.makers.get(main)?.operator === "ZipMap" ? graph.makers.get(main)!.inputs[0] : main;
  const asked = [zipped, ...values].filter((name) => name !== null && graph.makers.has(name));
  const more = [...new Set(asked as string[])].filter((name) => !graph.outputs.includes(name));
  return await saying(file, "load", () => Session.open(start, withOutputs(bytes, more), data, options.threads));
}

function modelOf(
  computation: Computation,
  { file, graph }: ModelFiles,
  { name: main, probabilities }: WiredOutput,
  options: OnnxOptions,
  { task }: InputDescription,
): OpenedModel["model"] & { hostOutputs(batch: Batch<HostTensor>, wanted?: ReadonlySet<string>): Batch<HostTensor> } {
  const { inputs } = computation;
  const { pooled, features, hidden } = options;
  const mapsFirst = inputs.some(({ form }) => form === "nchw");
  const asked = <Names>(output: keyof ModelOutputs, names: Names, none: Names, wanted?: ReadonlySet<string>) =>
    wanted === undefined || wanted.has(output) ? names : none;

  const hostOutputs = (batch: Batch<HostTensor>, wanted?: ReadonlySet<string>): Batch<HostTensor> => {
    const others = [
      ...(pooled === null ? [] : asked("pooled", [pooled], [], wanted)),
      ...Object.values(asked("features", features, {}, wanted)),
      ...asked("hidden", hidden, [], wanted),
    ];
    const names = [...new Set([main, ...others])];
    const numbers = saying(file, "run", () => compute(computation, batch, names));
    for (const [name, { data }] of numbers) expectNumbers(file, name, data);
    const logits = numbers.get(main)!;
    const classes = logits.shape.slice(1).filter((extent) => extent !== 1).length > 1 ? logits.shape : [
      logits.shape[0],
      sizeOf(logits.shape.slice(1)),
    ];
    const shape = task === "tagging" ? logits.shape : classes;
    const given0 = { shape, data: probabilities ? logarithms(file, main, logits) : logits.data };
    return {
      [given("logits")]: given0,
      ...Object.fromEntries(others.map((name) => {
        const value = numbers.get(name)!;
        return [given(`value ${name}`), mapsFirst && value.shape.length === 4 ? channelsLast(value) : value];
      })),
    };
  };

  const forward = ({ ops, batch, training, wanted }: ForwardCall): ModelOutputs => {
    if (training) throw new UserError(`Cannot train "${file}": an ONNX model can only be a teacher`);
    const take = (name: string): Tensor => ops.device.alias(batch[name], batch[name].shape);
    const value = (name: string) => take(given(`value ${name}`));
    const logits = take(given("logits"));
    const own = asked("pooled", pooled, null, wanted);
    return {
      logits,
      features: Object.fromEntries(
        Object.entries(asked("features", features, {}, wanted)).map(([name, node]) => [name, value(node)]),
      ),
      hidden: asked("hidden", hidden, [], wanted).map(value),
      attention: [],
      pooled: own === null ? logits : flat(ops, value(own)),
    };
  };
  const entries = inputs.map(({ entry }) => entry);
  const texts = (["tokens", "types", "mask"] as const).filter((entry) => entries.includes(entry));
  return {
    parameters: [],
    foreignParameters: graph.parameters,
    ...(texts.length > 0 && { textInputs: texts }),
    config: { ...options },
    fromForeign: (name) => name,
    hostOutputs,
    forward,
  };
}

/** `[batch, width]` of a value that may keep dimensions of extent 1. */
function flat(ops: ForwardCall["ops"], tensor: Tensor): Tensor {
  const [batch] = tensor.shape;
  return ops.reshape(tensor, [batch, tensor.size / batch]);
}

function expectNumbers(file: string, name: string, data: Float32Array): void {
  if (!data.some(Number.isNaN)) return;
  throw new UserError(
    `Cannot learn from "${file}": its output ${JSON.stringify(name)} is NaN for some examples, as where its weights are ` +
      "damaged or its inputs are of another range",
  );
}

/** Logarithms of probabilities. @throws UserError for numbers that are none */
function logarithms(file: string, name: string, { data, shape }: HostTensor): Float32Array {
  if (!areProbabilities(data, shape.at(-1)!)) {
    throw new UserError(
      `Cannot take what the output ${JSON.stringify(name)} of "${file}" gives for probabilities: expected numbers from ` +
        "0 to 1 whose sum is 1 for each example; say outputs: { logits: ... } if it gives logits",
    );
  }
  return data.map((value) => Math.log(Math.max(value, SMALLEST)));
}

function areProbabilities(data: Float32Array, classes: number): boolean {
  for (let begin = 0; begin < data.length; begin += classes) {
    const row = data.subarray(begin, begin + classes);
    const sum = row.reduce((sum, value) => sum + value, 0);
    if (row.some((value) => value < 0) || !(Math.abs(sum - 1) <= TOLERANCE)) return false;
  }
  return true;
}

/** Two examples through the model. */
function tryOn(
  { file }: ModelFiles,
  inputs: readonly WiredInput[],
  output: WiredOutput,
  data: InputDescription,
  hostOutputs: (batch: Batch<HostTensor>) => Batch<HostTensor>,
): void {
  const { logits: { shape, data: numbers } } = { logits: hostOutputs(madeUp(data))[given("logits")] };
  const length = data.text?.maxLength ?? 0;
  const expected = [TRIED, ...(data.task === "tagging" ? [length] : []), outputsOf(data)];
  if (shape.join() !== expected.join()) {
    throw new UserError(
      `Cannot use the output ${JSON.stringify(output.name)} of "${file}" as ${
        output.probabilities ? "probabilities" : "logits"
      }: it gives ${showShape(shape)} for ${TRIED} examples, and the data set needs ${showShape(expected)}`,
    );
  }
  const classes = shape.at(-1)!;
  if (!output.stated && classes > 1 && data.task !== "regression" && areProbabilities(numbers, classes)) {
    throw probabilitiesUnsaid(file, output.name, "gives numbers that sum to 1");
  }
  void inputs;
}

/** Examples with the largest token and of the greatest length, as what is too large for the model must be told. */
function madeUp(data: InputDescription): Batch<HostTensor> {
  const filled = (shape: readonly number[], value: number): HostTensor => {
    return { shape, data: new Float32Array(sizeOf(shape)).fill(value) };
  };
  if (data.image) return { image: filled([TRIED, ...imagesOf(data, "onnx").size], 0) };
  const { vocabulary, maxLength } = textOf(data, "onnx");
  const shape = [TRIED, maxLength];
  return { tokens: filled(shape, vocabulary - 1), types: filled(shape, 0), mask: filled(shape, 1) };
}

/** Runs `body`; what onnxruntime refuses becomes a sentence for the user. */
function saying<Result>(file: string, verb: "load" | "run", body: () => Result): Result {
  const rethrow = (error: unknown): never => {
    if (error instanceof RowMismatch) {
      throw new UserError(
        `Cannot ${verb} "${file}": its output ${JSON.stringify(error.output)} is ${showShape(error.shape)} for a batch ` +
          `of ${error.expected}: export the model with a batch dimension of any size`,
        { cause: error },
      );
    }
    if (error instanceof RuntimeRefusal) throw new UserError(`Cannot ${verb} "${file}": ${error.message}`, { cause: error });
    throw error;
  };
  try {
    const result = body();
    return result instanceof Promise ? result.catch(rethrow) as Result : result;
  } catch (error) {
    return rethrow(error);
  }
}
