import { UserError } from "../../../core/errors.ts";
import type { HostTensor, InputDescription } from "../../../core/plugin/dataset.ts";
import type { ForwardCall, Model, ModelOutputs, OpenedModel, OpenSetup } from "../../../core/plugin/model.ts";
import { showShape, sizeOf, type Tensor } from "../../../core/tensor.ts";
import { channelsLast, type Computation, compute, RowMismatch } from "./compute.ts";
import { checkValues, operatorOf, unzipped, type WiredOutput, wireInputs, wireOutput } from "./fit.ts";
import type { OnnxOptions } from "./options.ts";
import { areParts, areProbabilities, logarithms, logOdds } from "../probabilities.ts";
import { type ModelFiles, readModel } from "./read_model.ts";
import { CRF_TRANSITIONS } from "../../../core/onnx/metadata.ts";
import { withOutputs } from "../../../core/onnx/read_graph.ts";
import { RuntimeRefusal, Session } from "../../../core/onnx/runtime/session.ts";
import { tryOn } from "./trial.ts";

/** The names in a batch of what a model gives. */
const LOGITS = "onnx gives the logits";
const given = (value: string) => `onnx gives the value ${value}`;

/**
 * Opens a model and tries it, so that whatever does not fit is told before training.
 *
 * @throws UserError in one sentence for all that onnxruntime refuses
 */
export async function openTeacher(
  options: OnnxOptions,
  data: InputDescription,
  setup: Pick<OpenSetup, "path" | "readFile" | "report">,
): Promise<OpenedModel> {
  const files = await readModel(setup);
  const { file, graph } = files;
  checkValues(file, options, graph);
  const session = await openSession(files, options);
  try {
    const inputs = wireInputs(file, session.inputs, options, data);
    const own = session.outputs.filter(({ name }) => graph.outputs.includes(name));
    for (const { name } of inputs.filter(({ undo }) => undo !== null)) {
      setup.report(`"${file}" takes whole numbers: its input ${JSON.stringify(name)} is given pixels from 0 to 255`);
    }
    const output = wireOutput(file, own, graph, options);
    if (data.task === "multi-label") expectSeveral(file, output, graph);
    const hostOutputs = outputsOn({ session, inputs, padding: data.text?.padding ?? 0 }, file, output, options, data);
    tryOn(file, output, data, (batch) => hostOutputs(batch)[LOGITS]);
    if (data.task === "tagging" && graph.metadata.has(CRF_TRANSITIONS)) {
      setup.report(
        `"${file}" is of a tagger with a CRF, whose transitions are not used here: tags are those of its logits alone`,
      );
    }
    const given = inputs.map(({ entry }) => entry);
    const texts = (["tokens", "types", "mask"] as const).filter((entry) => given.includes(entry));
    const model: Model = {
      parameters: [],
      foreignParameters: graph.parameters,
      ...(texts.length > 0 && { textInputs: texts }),
      config: { ...options },
      fromForeign: (name) => name,
      hostOutputs,
      forward: forwardOf(file, options),
    };
    return { model, dispose: () => session.dispose() };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** Loads the model so that it gives all values that will be asked for. */
async function openSession({ file, bytes, data, graph }: ModelFiles, options: OnnxOptions): Promise<Session> {
  const { outputs, pooled, features, hidden, threads } = options;
  const main = outputs && Object.values(outputs)[0];
  const asked = [main && unzipped(main, graph.makers), pooled, ...Object.values(features), ...hidden];
  const more = asked.filter((name) => name !== null && graph.makers.has(name) && !graph.outputs.includes(name));
  try {
    return await Session.open(withOutputs(bytes, [...new Set(more as string[])]), data, threads);
  } catch (error) {
    throw inWords(error, file, "load");
  }
}

/** What an output is asked for, of which only some may be. */
function asked<Names>(output: keyof ModelOutputs, names: Names, none: Names, wanted?: ReadonlySet<string>): Names {
  return wanted === undefined || wanted.has(output) ? names : none;
}

/** The model's numbers of a batch, by the names under which {@link forwardOf} finds them. */
function outputsOn(
  computation: Computation,
  file: string,
  { name: main, probabilities }: WiredOutput,
  { pooled, features, hidden }: OnnxOptions,
  { task }: InputDescription,
): NonNullable<Model["hostOutputs"]> {
  const ofTexts = computation.inputs.some(({ form }) => form === null);
  const channelsFirst = computation.inputs.some(({ form }) => form === "nchw");
  const logitsOf = (value: HostTensor): HostTensor => {
    const logits = task === "tagging" ? value : flat(value);
    if (!probabilities) return logits;
    const isSeveral = task === "multi-label";
    if (isSeveral ? areParts(logits) : areProbabilities(logits)) {
      return isSeveral ? logOdds(logits) : logarithms(logits);
    }
    throw new UserError(
      `Cannot take what the output ${
        JSON.stringify(main)
      } of "${file}" gives for probabilities: expected numbers from ` +
        `0 to 1${isSeveral ? "" : " whose sum is 1 for each example"}; say outputs: { logits: ... } if it gives logits`,
    );
  };
  return (batch, wanted) => {
    const others = [
      ...(pooled === null ? [] : asked("pooled", [pooled], [], wanted)),
      ...Object.values(asked("features", features, {}, wanted)),
      ...asked("hidden", hidden, [], wanted),
    ];
    let values: ReadonlyMap<string, HostTensor>;
    try {
      const names = [...new Set([main, ...others])];
      const isByToken = (name: string) => name === main ? task === "tagging" : ofTexts && name !== pooled;
      values = compute(computation, batch, names.map((name) => ({ name, byToken: isByToken(name) })));
    } catch (error) {
      throw inWords(error, file, "run");
    }
    for (const [name, { data }] of values) expectNumbers(file, name, data);
    const shown = others.map((name) => {
      const value = values.get(name)!;
      return [given(name), channelsFirst && value.shape.length === 4 ? channelsLast(value) : value];
    });
    return { [LOGITS]: logitsOf(values.get(main)!), ...Object.fromEntries(shown) };
  };
}

function forwardOf(file: string, { pooled, features, hidden }: OnnxOptions): Model["forward"] {
  return ({ ops, batch, training, wanted }: ForwardCall): ModelOutputs => {
    if (training) throw new UserError(`Cannot train "${file}": an ONNX model can only be a teacher`);
    // The batch is not the model's to give away.
    const take = (name: string): Tensor => ops.device.alias(batch[name], batch[name].shape);
    const logits = take(LOGITS);
    const own = asked("pooled", pooled, null, wanted);
    const maps = Object.entries(asked("features", features, {}, wanted));
    return {
      logits,
      features: Object.fromEntries(maps.map(([name, value]) => [name, take(given(value))])),
      hidden: asked("hidden", hidden, [], wanted).map((value) => take(given(value))),
      attention: [],
      pooled: own === null ? logits : ops.reshape(take(given(own)), flat(batch[given(own)]).shape),
    };
  };
}

/** `[batch, width]` of what may keep dimensions of extent 1. */
function flat<Numbers extends { readonly shape: readonly number[] }>(
  numbers: Numbers,
): Numbers & { readonly shape: readonly [number, number] } {
  const [batch, ...rest] = numbers.shape;
  return { ...numbers, shape: [batch, sizeOf(rest)] };
}

/** @throws UserError for probabilities that sum to 1, where an example may be of several classes */
function expectSeveral(file: string, { name, probabilities }: WiredOutput, { makers }: ModelFiles["graph"]): void {
  if (!probabilities || operatorOf(name, makers) !== "Softmax") return;
  throw new UserError(
    `Cannot learn several labels from the output ${JSON.stringify(name)} of "${file}" as it comes of Softmax, whose ` +
      "probabilities sum to 1: expected those of a Sigmoid, or its logits",
  );
}

function expectNumbers(file: string, name: string, data: Float32Array): void {
  if (!data.some(Number.isNaN)) return;
  throw new UserError(
    `Cannot learn from "${file}": its output ${JSON.stringify(name)} is not a number for some examples, as where its ` +
      "weights are damaged or its inputs are of another range",
  );
}

/** The sentence for the user where onnxruntime refuses; other errors as they are. */
function inWords(error: unknown, file: string, verb: "load" | "run"): unknown {
  if (error instanceof RowMismatch) {
    return new UserError(
      `Cannot ${verb} "${file}": its output ${JSON.stringify(error.output)} is ${showShape(error.shape)} for a batch ` +
        `of ${error.expected}: export the model with a batch dimension of any size`,
      { cause: error },
    );
  }
  return error instanceof RuntimeRefusal
    ? new UserError(`Cannot ${verb} "${file}": ${error.message}`, { cause: error })
    : error;
}
