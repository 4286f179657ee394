import { UserError } from "../../../core/errors.ts";
import { imagesOf, outputsOf } from "../../../core/plugin/inputs.ts";
import { defineModel } from "../../../core/plugin/model.ts";
import { bounded } from "../../../core/recipe/bounds.ts";
import { DEPTHWISE_CHAINS } from "../images/parameters.ts";
import { forward, invertedResidual } from "../mobilenet/forward.ts";
import { parametersOf } from "../mobilenet/parameters.ts";
import { ownName } from "../mobilenet/recognise.ts";
import { canPadSame, type EfficientnetLite0Options, layOut, VARIANTS } from "./architecture.ts";
import { followTeacher, followWeights, widthOf } from "./follow.ts";

/**
 * EfficientNet-Lite0: EfficientNet-B0 (Tan and Le 2019, arXiv 1905.11946) without squeeze and excitation, with ReLU6,
 * in timm's tensor names.
 *
 * Outputs: `features` by layer (`conv_stem`, `blocks.0.0`, ..., `conv_head`), `hidden` with the output of every block,
 * `pooled` what the last layer sees; no `attention`. Depthwise convolutions may be over-parameterised if asked for, all
 * others may anyway.
 */
export const efficientnetLite0 = defineModel<EfficientnetLite0Options>({
  name: "efficientnet-lite0",
  description: "EfficientNet-Lite0, timm's names",
  source: "Tan and Le 2019, arXiv 1905.11946; https://github.com/tensorflow/tpu, efficientnet/lite",
  options: ({ z }) =>
    z.strictObject({
      variant: z.enum(VARIANTS).nullable().default(null).describe(
        "timm: as its efficientnet_lite0; tf: as its tf_efficientnet_lite0, with TensorFlow's padding and epsilon; null: " +
          "that of the weights' config.json or the teacher, else timm",
      ),
      width: bounded(z.number().min(0.01).max(16), "no layer would have less than its eight channels, or fit a memory")
        .nullable().default(null).describe(
          "What the blocks' channels are multiplied by, to multiples of eight; null: that of the weights or the teacher, " +
            "else 1",
        ),
      stemStride: z.union([z.literal(1), z.literal(2)]).nullable().default(null).describe(
        "Stride of the first layer, 1 for small images; null: that of the weights' config.json or the teacher, else 2",
      ),
      dropout: z.number().min(0).lt(1).default(0.2).describe("Rate of dropout before the last layer"),
      depthwiseChains: z.boolean().default(false).describe(
        `Whether depthwise filters may be over-parameterised, too; ${DEPTHWISE_CHAINS}`,
      ),
    }),
  fromWeights: followWeights,
  fromTeacher: followTeacher,
  build(options, data) {
    const { variant, width: multiplier, stemStride } = {
      variant: options.variant ?? "timm",
      width: options.width ?? 1,
      stemStride: options.stemStride ?? 2,
    };
    const architecture = layOut(variant, multiplier, stemStride);
    const { blocks, head } = architecture;
    const [height, width, channels] = imagesOf(data, "efficientnet-lite0").size;
    if (variant === "tf" && !canPadSame(architecture, [height, width])) {
      throw new UserError(
        `Cannot build the model efficientnet-lite0 with variant: tf for images of ${height} x ${width} pixels, as halving ` +
          "makes one side odd while the other is even: take square ones",
      );
    }
    return {
      parameters: parametersOf(architecture, channels, outputsOf(data), options.depthwiseChains),
      classifier: `${head}.weight`,
      layerPrefixes: blocks.map(({ name }) => `${name}.`),
      forward: (call) => forward(architecture, options.dropout, call),
      runLayer: (call, layer, x) => ({ hidden: invertedResidual(call, architecture, x, blocks[layer]) }),
      config: { ...options, variant, width: multiplier, stemStride },
      fromForeign: ownName,
      explain(shapes) {
        const found = widthOf(shapes);
        return found === null ? null : `fit an efficientnet-lite0 with width: ${found}`;
      },
    };
  },
});
