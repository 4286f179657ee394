import type { Builtins } from "../core/plugin/registry.ts";
import { cifar } from "./datasets/cifar.ts";
import { idx } from "./datasets/idx.ts";
import { crossEntropy } from "./losses/cross_entropy.ts";
import { hiddenMse } from "./losses/hidden_mse.ts";
import { kd } from "./losses/kd.ts";
import { mseLogits } from "./losses/mse_logits.ts";
import { tensorAlignment } from "./losses/tensor_alignment.ts";
import { resnet } from "./models/resnet/resnet.ts";

/** The plug-ins that a recipe can name without a file. */
export const builtins: Builtins = {
  model: [resnet],
  loss: [crossEntropy, kd, mseLogits, hiddenMse, tensorAlignment],
  dataset: [idx, cifar],
};
