import { defineLoss } from "../../core/plugin/loss.ts";
import { type LayerPair, outputsOf, pairsOption } from "./layer_pairs.ts";
import { meanOverVectors } from "./masked.ts";
import { projectPairs } from "./projected_pairs.ts";
import { unitVectors } from "./vectors.ts";

/**
 * The cosine loss of DistilBERT (Sanh et al. 2019, arXiv 1910.01108): 1 - cos(r(h_S), h_T), mean over batch, tokens (or
 * pixels) and pairs of layers; padding of texts is no token. A vector is the last dimension; where the widths differ, r
 * is a learned linear map as in `hidden-mse`, else the identity. A zero vector has cosine 0 and no gradient.
 */
export const cosineHidden = defineLoss<{ pairs: LayerPair[] }>({
  name: "cosine-hidden",
  description: "One minus the cosine of hidden vectors, token by token or pixel by pixel",
  equation: "1 - cos(r(h_S), h_T), mean over batch, tokens and pairs",
  source: "Sanh et al. 2019, arXiv 1910.01108 (DistilBERT)",
  options: ({ z }) => z.strictObject({ pairs: pairsOption(z) }),
  create({ pairs }, setup) {
    const { parameters, meanOver, outputs } = projectPairs("cosine-hidden", pairs, setup);
    return {
      teacherOutputs: outputsOf(pairs, setup),
      mixed: true,
      parameters,
      meanOver,
      compute(call) {
        const { ops, batch } = call;
        const cosines = outputs(call).map(([student, teacher]) => {
          const products = ops.multiply(unitVectors(ops, student), unitVectors(ops, teacher));
          return meanOverVectors(ops, ops.sum(products, { axes: [-1] }), teacher, batch);
        });
        return ops.offset(ops.scale(ops.total(cosines), -1 / cosines.length), 1);
      },
    };
  },
});
