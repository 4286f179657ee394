import { UserError } from "../../../core/errors.ts";
import { defineModel } from "../../../core/plugin/model.ts";
import { DEPTHWISE_CHAINS } from "../images/parameters.ts";
import { buildStack, followConfig } from "./build.ts";
import { type Layer, layerList } from "./layers.ts";

/** Options of the `cnn` plug-in. */
interface CnnOptions {
  readonly layers: readonly Layer[] | null;
  readonly depthwiseChains: boolean;
}

/**
 * A plain stack that the recipe describes, layer by layer: convolutions, norms, activations, pools, matrices. Its
 * tensors have the names that PyTorch's `nn.Sequential` of the same modules gives (`0.weight`, `1.running_mean`).
 *
 * Outputs: `features` by layer (`layers.0`, ...), `hidden` the same in order, `pooled` what the last matrix sees; no
 * `attention`. Convolutions and matrices may be over-parameterised, depthwise ones if asked for.
 */
export const cnn = defineModel<CnnOptions>({
  name: "cnn",
  description: "A plain stack of layers that the recipe lists, PyTorch's nn.Sequential",
  source: "LeCun et al. 1998, Gradient-based learning applied to document recognition",
  options: (kit) =>
    kit.z.strictObject({
      layers: layerList(kit).min(1).nullable().default(null).describe(
        "What an image goes through, in order; the last matrix, which gives a number for each class, is added. null: " +
          "that of the config.json beside the weights",
      ),
      depthwiseChains: kit.z.boolean().default(false).describe(
        `Whether depthwise filters may be over-parameterised, too; ${DEPTHWISE_CHAINS}`,
      ),
    }),
  fromWeights: (stored, options) => followConfig("cnn", stored, options, ["layers"]),
  build(options, data) {
    if (options.layers === null) {
      throw new UserError(
        "Cannot build a cnn of no layers: expected layers, or weights with a config.json that lists them",
      );
    }
    return buildStack("cnn", options.layers, options.depthwiseChains, data, { ...options });
  },
});
