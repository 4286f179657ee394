import type { Builtins } from "../core/plugin/registry.ts";
import { cifar } from "./datasets/cifar.ts";
import { idx } from "./datasets/idx.ts";
import { attentionTransfer } from "./losses/attention_transfer.ts";
import { cosineHidden } from "./losses/cosine_hidden.ts";
import { crossEntropy } from "./losses/cross_entropy.ts";
import { dist } from "./losses/dist.ts";
import { dkd } from "./losses/dkd.ts";
import { hiddenMse } from "./losses/hidden_mse.ts";
import { jensenShannon } from "./losses/jensen_shannon.ts";
import { kd } from "./losses/kd.ts";
import { logitStandardization } from "./losses/logit_standardization.ts";
import { mseLogits } from "./losses/mse_logits.ts";
import { patient } from "./losses/patient.ts";
import { relational } from "./losses/relational.ts";
import { similarityPreserving } from "./losses/similarity_preserving.ts";
import { tensorAlignment } from "./losses/tensor_alignment.ts";
import { resnet } from "./models/resnet/resnet.ts";

/** The plug-ins that a recipe can name without a file. */
export const builtins: Builtins = {
  model: [resnet],
  loss: [
    crossEntropy,
    kd,
    mseLogits,
    hiddenMse,
    tensorAlignment,
    dkd,
    dist,
    logitStandardization,
    jensenShannon,
    cosineHidden,
    attentionTransfer,
    similarityPreserving,
    relational,
    patient,
  ],
  dataset: [idx, cifar],
};
