import { defineLoss } from "../../core/plugin/loss.ts";
import { type LayerPair, outputsOf, pairsOption } from "./layer_pairs.ts";
import { meanOverVectors } from "./masked.ts";
import { projectPairs } from "./projected_pairs.ts";

/**
 * Hints (Romero et al. 2015, FitNets, arXiv 1412.6550): mean of (r(h_S) - h_T)^2 over pairs of hidden layers. Where the
 * widths differ, r is a learned linear map (a 1x1 convolution on images), trained with the student and not exported. Of
 * texts the mean runs over the tokens of the batch, padding left out.
 */
export const hiddenMse = defineLoss<{ pairs: LayerPair[] }>({
  name: "hidden-mse",
  description: "Mean squared difference of hidden layers, with a learned projection where widths differ",
  equation: "mean over pairs of (r(h_S) - h_T)^2, r a learned linear map where widths differ",
  source: "Romero et al. 2015, arXiv 1412.6550 (FitNets)",
  options: ({ z }) => z.strictObject({ pairs: pairsOption(z) }),
  create({ pairs }, setup) {
    const { parameters, meanOver, outputs } = projectPairs("hidden-mse", pairs, setup);
    return {
      teacherOutputs: outputsOf(pairs, setup),
      mixed: true,
      parameters,
      meanOver,
      compute(call) {
        const { ops, batch } = call;
        const terms = outputs(call).map(([student, teacher]) =>
          meanOverVectors(ops, ops.square(ops.subtract(student, teacher)), teacher, batch)
        );
        return ops.scale(ops.total(terms), 1 / terms.length);
      },
    };
  },
});
