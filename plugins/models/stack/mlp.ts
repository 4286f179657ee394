import { UserError } from "../../../core/errors.ts";
import { defineModel, type InnerWidth, type ParameterSpec } from "../../../core/plugin/model.ts";
import { type Activation, ACTIVATIONS } from "../images/activations.ts";
import { buildStack, followConfig } from "./build.ts";
import { dropoutRate, type LinearLayer, neurons } from "./layers.ts";

/** Options of the `mlp` plug-in. */
interface MlpOptions {
  readonly widths: readonly number[] | null;
  readonly norm: "batch" | "none" | null;
  readonly activation: Activation | null;
  readonly dropout: number | null;
}

/**
 * A multi-layer perceptron on images: matrices with an activation between them. Its tensors have the names that
 * PyTorch's `nn.Sequential(nn.Flatten(), nn.Linear(...), nn.ReLU(), ...)` gives.
 *
 * Outputs: `features` by layer (`layers.0`, ...), `hidden` the same in order, `pooled` what the last matrix sees; no
 * `attention`. Every matrix may be over-parameterised.
 */
export const mlp = defineModel<MlpOptions>({
  name: "mlp",
  description: "A multi-layer perceptron on images, PyTorch's nn.Sequential",
  source: "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
  options: (kit) => {
    const { z } = kit;
    return z.strictObject({
      widths: z.array(neurons(kit)).max(1000).nullable().default(null).describe(
        "Neurons of each hidden layer, from the image on; null: those of the config.json beside the weights",
      ),
      norm: z.enum(["batch", "none"]).nullable().default(null).describe(
        "Batch norm behind each hidden layer; null: that of the config.json beside the weights, else none",
      ),
      activation: z.enum(ACTIVATIONS).nullable().default(null).describe(
        "What follows each hidden layer; null: that of the config.json beside the weights, else relu",
      ),
      dropout: dropoutRate(kit).nullable().default(null).describe(
        "Rate of dropout behind each hidden layer; null: that of the config.json beside the weights, else 0",
      ),
    });
  },
  fromWeights: (stored, options) => followConfig("mlp", stored, options, ["widths", "norm", "activation", "dropout"]),
  build(options, data) {
    const { widths } = options;
    if (widths === null) {
      throw new UserError(
        "Cannot build an mlp of no widths: expected widths, such as [256, 128], or weights with a config.json that " +
          "lists them",
      );
    }
    const { norm, activation, dropout } = {
      norm: options.norm ?? "none",
      activation: options.activation ?? "relu",
      dropout: options.dropout ?? 0,
    };
    const layers = widths.map((width): LinearLayer => ({ use: "linear", width, norm, activation, dropout }));
    const model = buildStack("mlp", layers, false, data, { widths, norm, activation, dropout });
    return { ...model, innerWidths: innerWidthsOf(model.parameters) };
  },
  withWidths: (options, widths) => ({ ...options, widths: [...widths.values()] }),
});

/** The neurons of each hidden layer, by the layer that makes them. */
function innerWidthsOf(parameters: readonly ParameterSpec[]): InnerWidth[] {
  const matrices = parameters.flatMap(({ shape }, place) => shape.length === 2 ? [place] : []);
  return matrices.slice(0, -1).map((place, layer) => {
    const next = matrices[layer + 1];
    const own = parameters.slice(place, next).map(({ name }) => ({ name, axis: 0 }));
    const [weight, taker] = [parameters[place].name, parameters[next].name];
    const scale = own.length > 2 ? own[2].name : weight; // of a batch norm behind matrix and bias
    return {
      name: weight.replace(/\.weight$/, ""),
      size: parameters[place].shape[0],
      tensors: [...own, { name: taker, axis: 1 }],
      scoredBy: [scale, taker],
    };
  });
}
