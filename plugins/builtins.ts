import type { Builtins } from "../core/plugin/registry.ts";
import { cifar } from "./datasets/cifar.ts";
import { conll } from "./datasets/conll.ts";
import { glue } from "./datasets/glue.ts";
import { idx } from "./datasets/idx.ts";
import { imageFolder } from "./datasets/image_folder.ts";
import { imageTable } from "./datasets/image_table.ts";
import { mail } from "./datasets/mail.ts";
import { textTable } from "./datasets/text_table.ts";
import { adKd } from "./losses/ad_kd.ts";
import { attentionMse } from "./losses/attention_mse.ts";
import { attentionTransfer } from "./losses/attention_transfer.ts";
import { binaryCrossEntropy } from "./losses/binary_cross_entropy.ts";
import { contrastive } from "./losses/contrastive.ts";
import { cosineHidden } from "./losses/cosine_hidden.ts";
import { crf } from "./losses/crf.ts";
import { crossEntropy } from "./losses/cross_entropy.ts";
import { dbkd } from "./losses/dbkd.ts";
import { dist } from "./losses/dist.ts";
import { dkd } from "./losses/dkd.ts";
import { focal } from "./losses/focal.ts";
import { hardDistillation } from "./losses/hard_distillation.ts";
import { hiddenMse } from "./losses/hidden_mse.ts";
import { jensenShannon } from "./losses/jensen_shannon.ts";
import { kd } from "./losses/kd.ts";
import { kernelTransfer } from "./losses/kernel_transfer.ts";
import { lelp } from "./losses/lelp.ts";
import { logitStandardization } from "./losses/logit_standardization.ts";
import { minilm } from "./losses/minilm.ts";
import { mse } from "./losses/mse.ts";
import { mseLogits } from "./losses/mse_logits.ts";
import { patient } from "./losses/patient.ts";
import { relational } from "./losses/relational.ts";
import { similarityPreserving } from "./losses/similarity_preserving.ts";
import { structureMarginals } from "./losses/structure_marginals.ts";
import { structureTopK } from "./losses/structure_top_k.ts";
import { subStructure } from "./losses/sub_structure.ts";
import { tensorAlignment } from "./losses/tensor_alignment.ts";
import { bert } from "./models/bert/bert.ts";
import { efficientnetLite0 } from "./models/efficientnet/efficientnet_lite0.ts";
import { onnx } from "./models/onnx/onnx.ts";
import { recordedOutputs } from "./models/outputs/outputs.ts";
import { resnet } from "./models/resnet/resnet.ts";
import { mobilenet } from "./models/mobilenet/mobilenet.ts";
import { cnn } from "./models/stack/cnn.ts";
import { mlp } from "./models/stack/mlp.ts";
import { tfjs } from "./models/tfjs/tfjs.ts";
import { vit } from "./models/vit/vit.ts";

/** The plug-ins that a recipe can name without a file. */
export const builtins: Builtins = {
  model: [resnet, mobilenet, efficientnetLite0, cnn, mlp, bert, vit, tfjs, onnx, recordedOutputs],
  loss: [
    crossEntropy,
    binaryCrossEntropy,
    focal,
    kd,
    hardDistillation,
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
    kernelTransfer,
    lelp,
    contrastive,
    crf,
    mse,
    subStructure,
    structureTopK,
    structureMarginals,
    minilm,
    attentionMse,
    adKd,
    dbkd,
  ],
  dataset: [idx, cifar, imageFolder, imageTable, textTable, glue, conll, mail],
};
