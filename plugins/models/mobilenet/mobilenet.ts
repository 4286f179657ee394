import { imagesOf, outputsOf } from "../../../core/plugin/inputs.ts";
import { defineModel } from "../../../core/plugin/model.ts";
import { bounded } from "../../../core/recipe/bounds.ts";
import { DEPTHWISE_CHAINS } from "../images/parameters.ts";
import { layOut, type MobilenetOptions, VERSIONS } from "./architecture.ts";
import { followTeacher, followWeights } from "./follow.ts";
import { forward, invertedResidual } from "./forward.ts";
import { parametersOf } from "./parameters.ts";
import { ownName, recognise } from "./recognise.ts";

/**
 * MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) and MobileNetV3 (Howard et al. 2019, arXiv 1905.02244) with
 * torchvision's tensor names.
 *
 * Outputs: `features` by layer (`features.0`, ...), `hidden` with the output of every block, `pooled` what the last
 * layer sees; no `attention`. The first, the pointwise and the squeezing convolutions and the last layers may be
 * over-parameterised, depthwise ones if asked for.
 */
export const mobilenet = defineModel<MobilenetOptions>({
  name: "mobilenet",
  description: "MobileNet V2 and V3, torchvision's names",
  source: "Sandler et al. 2018, arXiv 1801.04381; Howard et al. 2019, arXiv 1905.02244",
  options: ({ z }) =>
    z.strictObject({
      version: z.enum(VERSIONS).nullable().default(null).describe(
        "The network; null: that of the weights or the teacher, else v2",
      ),
      width: bounded(z.number().min(0.01).max(16), "no layer would have less than its eight channels, or fit a memory")
        .nullable().default(null).describe(
          "What channels are multiplied by, to multiples of eight; null: that of the weights or the teacher, else 1",
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
    const { version, width, stemStride } = {
      version: options.version ?? "v2",
      width: options.width ?? 1,
      stemStride: options.stemStride ?? 2,
    };
    const architecture = layOut(version, width, stemStride);
    const { blocks, head } = architecture;
    const channels = imagesOf(data, "mobilenet").size[2];
    return {
      parameters: parametersOf(architecture, channels, outputsOf(data), options.depthwiseChains),
      classifier: `${head}.weight`,
      layerPrefixes: blocks.map(({ name }) => `${name}.`),
      forward: (call) => forward(architecture, options.dropout, call),
      runLayer: (call, layer, x) => ({ hidden: invertedResidual(call, architecture, x, blocks[layer]) }),
      config: { ...options, version, width, stemStride },
      fromForeign: ownName,
      explain(shapes) {
        const found = recognise(shapes);
        return found && `fit a mobilenet with version: ${found.version}, width: ${found.width}`;
      },
    };
  },
});
