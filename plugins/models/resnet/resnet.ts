import { bounded } from "../../../core/recipe/bounds.ts";
import { imagesOf, outputsOf } from "../../../core/plugin/inputs.ts";
import { defineModel } from "../../../core/plugin/model.ts";
import { layOut, type ResnetOptions } from "./architecture.ts";
import { followTeacher, followWeights } from "./follow.ts";
import { forward, residual } from "./forward.ts";
import { innerWidthsOf, parametersOf } from "./parameters.ts";
import { explain, renamed } from "./recognise.ts";
import { ownName } from "./structure.ts";

/**
 * Residual networks (He et al. 2016, arXiv 1512.03385) with torchvision's tensor names: the CIFAR family of depth 6k +
 * 2 (8, 14, 20, 32, 56, ...), the ImageNet family of depth 18, 34, 50, 101 and 152, and any list of blocks. Files are
 * also read under the names of other collections, whose tensors are told by their places.
 *
 * Outputs: `features` by layer (`conv1`, `layer1`, `layer1.0`, ...), `hidden` with the output of every block, `pooled`
 * after global average pooling, `subclassLogits` with the option `subclasses`; no `attention`. Every convolution and
 * the last linear layer may be over-parameterised.
 */
export const resnet = defineModel<ResnetOptions>({
  name: "resnet",
  description: "Residual networks, torchvision's names",
  source: "He et al. 2016, arXiv 1512.03385",
  options: ({ z }) =>
    z.strictObject({
      depth: bounded(z.int().min(8).max(2000), "the deepest that was ever trained has 1202 layers").nullable().default(
        null,
      )
        .describe(
          "Number of layers: 6k + 2 (8, 14, 20, 32, 56, ...), or 18, 34, 50, 101, 152; null: that of the weights, or of " +
            "the listed layers of the teacher",
        ),
      blocks: z.array(bounded(z.int().min(1).max(700), "the deepest that was ever trained has 600 blocks")).min(1).max(
        5,
      )
        .nullable().default(null).describe(
          "Blocks of each stage in place of a depth, such as [2, 3, 2]; null: by depth, or those of the weights",
        ),
      bottleneck: z.boolean().nullable().default(null).describe(
        "Whether these blocks have three convolutions (1x1, 3x3, 1x1), not two of 3x3; null: that of the weights or the " +
          "teacher, else false",
      ),
      width: bounded(z.int().min(1).max(2 ** 14), "the last stage has four times as many").nullable().default(null)
        .describe(
          "Channels of the first stage, doubled at each later one; null: that of the weights or the teacher, else 16, or 64 for four stages",
        ),
      stem: z.enum(["cifar", "imagenet", "small"]).nullable().default(null).describe(
        "First layer: cifar is 3x3, imagenet 7x7 with stride 2 and max pooling, small 3x3 with stride 2; null: that of the weights or the teacher, else by depth",
      ),
      shortcut: z.enum(["projection", "padded", "padded-behind"]).nullable().default(null).describe(
        "How a block's input goes around it where sizes change: by a 1x1 convolution, or without weights (option A) with " +
          "zeros before and behind its channels, or behind alone; null: that of the weights or the teacher, else projection",
      ),
      inner: z.array(bounded(z.int().min(1).max(2 ** 14), "no stage has more channels")).min(1).max(2000).nullable()
        .default(null).describe(
          "Channels of each convolution that is not the last of its block, block after block, as channel pruning leaves " +
            "them; null: that of the weights, else the stage's width",
        ),
      dropout: z.number().min(0).lt(1).default(0).describe("Rate of dropout before the last layer"),
      subclasses: bounded(z.int().min(1).max(1000), "each is one more row of the last layer").default(1).describe(
        "Parts of each class that the last layer tells apart, for the loss lelp; a class counts as their sum",
      ),
    }),
  fromWeights: followWeights,
  fromTeacher: followTeacher,
  withWidths: (options, widths) => ({ ...options, inner: [...widths.values()] }),
  build(options, data) {
    const architecture = layOut(options);
    const outputs = outputsOf(data) * options.subclasses;
    const blocks = architecture.stages.flatMap((stage) => stage.blocks);
    return {
      parameters: parametersOf(architecture, imagesOf(data, "resnet").size[2], outputs),
      classifier: "fc.weight",
      innerWidths: blocks.flatMap(innerWidthsOf),
      layerPrefixes: blocks.map(({ name }) => `${name}.`),
      forward: (call) => forward(architecture, options, call),
      runLayer: (call, layer, x) => ({ hidden: residual(call, x, blocks[layer]) }),
      config: {
        ...options,
        width: architecture.stemWidth,
        stem: architecture.stem,
      },
      fromForeign: ownName,
      fromFile: renamed,
      explain: (shapes) => explain(shapes, { ...options, width: architecture.stemWidth }),
    };
  },
});
