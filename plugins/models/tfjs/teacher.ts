import { Owned } from "../../../core/owned.ts";
import { DeviceError, UserError } from "../../../core/errors.ts";
import type { Ops } from "../../../core/ops/ops.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { imagesOf, outputsOf, textOf } from "../../../core/plugin/inputs.ts";
import type { ForwardCall, ModelOutputs, OpenedModel, OpenSetup } from "../../../core/plugin/model.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { LEAST_REST, SMALLEST } from "../finite_logarithms.ts";
import { areProbabilities } from "../probabilities.ts";
import { type Bridge, bridgeTo } from "./bridge.ts";
import type { Engine, OpenEngine } from "./engine.ts";
import { checkInput, checkLogits, probabilitiesUnsaid, wire, type Wiring } from "./fit.ts";
import { firstLine, type ForeignTensor, whatItSays } from "./library.ts";
import { loadNetwork, type Network } from "./network.ts";
import type { BatchEntry, TfjsOptions } from "./options.ts";
import { scalePixels } from "./pixels.ts";
import { type ModelFiles, readArtifacts } from "./read_artifacts.ts";

/** Tokens of the example that a model is tried on. */
const TRIED_LENGTH = 8;

/** The parts of a teacher. */
interface Parts {
  readonly options: TfjsOptions;
  readonly data: InputDescription;
  readonly ops: Ops;
  readonly engine: Engine;
}

/**
 * Opens a model of TensorFlow.js on one engine and tries it on one example, so that whatever does not fit is told
 * before training.
 *
 * @throws UserError in one sentence for all that TensorFlow.js refuses
 */
export async function openTeacher(
  openEngine: OpenEngine,
  options: TfjsOptions,
  data: InputDescription,
  setup: OpenSetup,
): Promise<OpenedModel> {
  if (data.task === "multi-label" && options.probabilities === null) {
    throw new UserError(
      "Cannot tell whether the model gives logits or a sigmoid's probabilities of several labels: say probabilities: " +
        "true or false",
    );
  }
  const { ops } = setup;
  using held = new Owned();
  const engine = await openEngine();
  held.defer(() => engine.close());
  const files = await readArtifacts(engine.tf, setup);
  const network = await engine.within(() => saying(files, "load", () => loadNetwork(files)));
  held.defer(() => engine.within(() => network.dispose()));
  const wiring = wire(files.file, network, options);
  for (const [input, entry] of wiring.inputs) checkInput(files.file, input, shapeOf(entry, data));
  const bridge = bridgeTo(ops.device, engine);
  held.defer(() => bridge.close());
  const forward = forwardOf({ options, data, ops, engine }, files, network, wiring, bridge, held);
  await tryOn({ options, data, ops, engine }, files, wiring, forward);
  const owned = held.move();
  return {
    model: {
      parameters: [],
      foreignParameters: network.parameters,
      replay: false,
      config: { ...options },
      fromForeign: (name) => name,
      forward,
    },
    dispose: () => owned.dispose(),
  };
}

type Forward = (call: Pick<ForwardCall, "batch" | "training" | "wanted">) => ModelOutputs;

function forwardOf(
  { options, data, ops, engine }: Parts,
  files: ModelFiles,
  network: Network,
  { inputs, logits }: Wiring,
  bridge: Bridge,
  held: Owned,
): Forward {
  const { pooled, features, hidden } = options;
  const pixels = data.image && scalePixels(ops, data.image, options.pixels);
  if (pixels) held.defer(() => pixels.dispose());

  const send = (batch: ForwardCall["batch"]) =>
    Object.fromEntries(
      [...inputs].map(([{ name, type }, entry], slot) => {
        const tensor = pixels && entry === "image" ? pixels.apply(batch.image) : batch[entry];
        return [name, cast(bridge.send(tensor, slot), type)];
      }),
    );
  const cast = (tensor: ForeignTensor, type: string): ForeignTensor =>
    type === tensor.dtype || !["float32", "int32", "bool"].includes(type)
      ? tensor
      : engine.tf.cast(tensor, type as "float32" | "int32" | "bool");
  /** All nodes in one pass. */
  const compute = (batch: ForwardCall["batch"], nodes: readonly string[]): ReadonlyMap<string, Tensor> =>
    engine.within(() => {
      const distinct = [...new Set(nodes)];
      let outputs = new Map<string, Tensor>();
      engine.tf.tidy(() => {
        const computed = network.run(send(batch), distinct);
        outputs = new Map(distinct.map((node, index) => [node, bridge.receive(cast(computed[index], "float32"))]));
      });
      return outputs;
    });

  return ({ batch, training, wanted }) => {
    if (training) throw new UserError(`Cannot train "${files.file}": a model of TensorFlow.js can only be a teacher`);
    const asked = <Nodes>(output: keyof ModelOutputs, nodes: Nodes, none: Nodes) =>
      wanted === undefined || wanted.has(output) ? nodes : none;
    const [own, maps, states] = [
      asked("pooled", pooled, null),
      asked("features", features, {}),
      asked("hidden", hidden, []),
    ];
    return ops.scope(() => {
      const nodes = [logits, ...(own === null ? [] : [own]), ...Object.values(maps), ...states];
      const outputs = saying(files, "run", () => compute(batch, nodes));
      const get = (node: string) => outputs.get(node)!;
      const given = options.probabilities ? logitsOf(ops, get(logits), data) : get(logits);
      return {
        logits: given,
        features: Object.fromEntries(Object.entries(maps).map(([name, node]) => [name, get(node)])),
        hidden: states.map(get),
        attention: [],
        pooled: own === null ? given : flat(ops, get(own)),
      };
    });
  };
}

/** Logits of probabilities p: log p, or of several labels log(p / (1 - p)). */
function logitsOf(ops: Ops, probabilities: Tensor, { task }: InputDescription): Tensor {
  const log = (x: Tensor, least: number) => ops.log(ops.maximum(x, ops.scalar(least)));
  const logits = log(probabilities, SMALLEST);
  return task === "multi-label" ? ops.subtract(logits, log(ops.complement(probabilities), LEAST_REST)) : logits;
}

/** `[batch, width]` of a node that may keep dimensions of extent 1. */
function flat(ops: Ops, tensor: Tensor): Tensor {
  const [batch] = tensor.shape;
  return ops.reshape(tensor, [batch, tensor.size / batch]);
}

/** The shape of a part of a batch; `null` for extents that differ from batch to batch. */
function shapeOf(entry: BatchEntry, data: InputDescription): (number | null)[] {
  if (entry === "image") return [null, ...imagesOf(data, "tfjs").size];
  void textOf(data, "tfjs");
  return [null, null];
}

/** One example of zeros through the model. */
async function tryOn(
  { options, data, ops }: Parts,
  { file }: ModelFiles,
  { inputs, logits: node }: Wiring,
  forward: Forward,
): Promise<void> {
  const entries = [...inputs.values()].map((entry) => {
    const shape = shapeOf(entry, data).map((extent, axis) => extent ?? (axis === 0 ? 1 : TRIED_LENGTH));
    return [entry, shape] as const;
  });
  const logits = ops.scope(() => {
    const batch = Object.fromEntries(
      entries.map(([entry, shape]) => [entry, ops.full(shape, entry === "mask" ? 1 : 0)]),
    );
    const { logits } = forward({ batch, training: false });
    const expected = [1, ...(data.task === "tagging" ? [TRIED_LENGTH] : []), outputsOf(data)];
    checkLogits(file, node, logits.shape, expected);
    return logits;
  });
  using owned = new Owned();
  const { shape } = owned.adopt(logits, (tensor) => tensor.dispose());
  // One number alone may be 1.
  if (options.probabilities !== null || data.task === "regression" || shape.at(-1) === 1) return;
  const [numbers] = await ops.read([logits]);
  if (areProbabilities({ shape, data: Float32Array.from(numbers) })) throw probabilitiesUnsaid(file, node);
}

/** Runs `body`; an error of TensorFlow.js becomes a sentence for the user. */
function saying<Result>({ file }: ModelFiles, verb: "load" | "run", body: () => Result): Result {
  const rethrow = (error: unknown): never => {
    if (error instanceof UserError || error instanceof DeviceError) throw error;
    const message = firstLine(error);
    const reason = /executeAsync/.test(message)
      ? "it branches or loops by what it computes, which would need a wait in each step"
      : whatItSays(error);
    throw new UserError(`Cannot ${verb} "${file}": ${reason}`, { cause: error });
  };
  try {
    const result = body();
    return result instanceof Promise ? result.catch(rethrow) as Result : result;
  } catch (error) {
    return rethrow(error);
  }
}
