import forwardShader from "../../shaders/crf_forward.wgsl" with { type: "text" };
import gradientShader from "../../shaders/crf_gradient.wgsl" with { type: "text" };
import marginalsShader from "../../shaders/crf_marginals.wgsl" with { type: "text" };
import marginalsGradientShader from "../../shaders/crf_marginals_gradient.wgsl" with { type: "text" };
import { logSumExp, perSequence, scoredRows } from "./crf_support.ts";
import { defineKernel } from "./kernel.ts";

/** Emissions are `[sequences, length, tags]`, transitions `[tags, tags]`, the mask `[sequences, length]`. */
const parameters = { sequences: "u32", length: "u32", tags: "u32" } as const;

/** Every pair of tags at every position. */
const pairsOf = (p: Readonly<Record<keyof typeof parameters, number>>) => p.sequences * p.length * p.tags ** 2;

/**
 * The forward algorithm, one step a position that the mask keeps. With p the position kept before t:
 * incoming[t, j] = log sum_i exp(filtered[p, i] + transitions[i, j]), 0 at the first one, and
 * filtered[t, j] = log p(tag j at t | positions up to t), so that no sum grows with the length of the sequence.
 * `logPartition [sequences]` is the sum of what normalises the steps.
 */
export const crfForwardKernel = defineKernel({
  name: "crf forward",
  reads: { emissions: "f32", transitions: "f32", mask: "f32" },
  writes: { filtered: "f32", incoming: "f32", logPartition: "f32" },
  parameters,
  launch: perSequence(forwardShader),
  operations: (p) => 3 * pairsOf(p),
  cpu: ({ emissions, transitions, mask, filtered, incoming, logPartition }, { sequences, length, tags }) => {
    const terms = new Float64Array(tags);
    for (let sequence = 0; sequence < sequences; sequence++) {
      let total = 0;
      let previous = -1;
      for (const row of scoredRows(mask, sequence, length, tags)) {
        for (let j = 0; j < tags; j++) {
          if (previous >= 0) {
            for (let i = 0; i < tags; i++) terms[i] = filtered[previous + i] + transitions[i * tags + j];
          }
          incoming[row + j] = previous < 0 ? 0 : logSumExp(terms);
          filtered[row + j] = emissions[row + j] + incoming[row + j];
        }
        const step = logSumExp(filtered.subarray(row, row + tags));
        for (let j = 0; j < tags; j++) filtered[row + j] -= step;
        total += step;
        previous = row;
      }
      logPartition[sequence] = total;
    }
  },
});

/**
 * Gradient of the log-partition: the marginal probabilities of tags, and of pairs of neighbouring tags summed over the
 * sequence `[sequences, tags, tags]`, times `gradient [sequences]`. Going back from the last position,
 * mu[p, i] = sum_j mu[t, j] exp(filtered[p, i] + transitions[i, j] - incoming[t, j]).
 */
export const crfGradientKernel = defineKernel({
  name: "crf forward dx",
  reads: { transitions: "f32", mask: "f32", filtered: "f32", incoming: "f32", gradient: "f32" },
  writes: { emissionsGradient: "f32", transitionsGradient: "f32" },
  parameters,
  launch: perSequence(gradientShader),
  operations: (p) => 5 * pairsOf(p),
  cpu: (views, { sequences, length, tags }) => {
    const { transitions, mask, filtered, incoming, gradient, emissionsGradient, transitionsGradient } = views;
    emissionsGradient.fill(0);
    transitionsGradient.fill(0);
    for (let sequence = 0; sequence < sequences; sequence++) {
      const g = gradient[sequence];
      const pairs = sequence * tags * tags;
      let next = -1;
      for (const row of scoredRows(mask, sequence, length, tags).reverse()) {
        for (let i = 0; i < tags; i++) {
          if (next < 0) {
            emissionsGradient[row + i] = g * Math.exp(filtered[row + i]);
            continue;
          }
          let sum = 0;
          for (let j = 0; j < tags; j++) {
            const score = filtered[row + i] + transitions[i * tags + j] - incoming[next + j];
            const both = emissionsGradient[next + j] * Math.exp(score);
            transitionsGradient[pairs + i * tags + j] += both;
            sum += both;
          }
          emissionsGradient[row + i] = sum;
        }
        next = row;
      }
    }
  },
});

/**
 * Logarithms of the marginal probabilities of tags, 0 where the mask leaves a position out:
 * marginals[p, i] = filtered[p, i] + log sum_j exp(transitions[i, j] + marginals[t, j] - incoming[t, j]).
 */
export const crfMarginalsKernel = defineKernel({
  name: "crf marginals",
  reads: { transitions: "f32", mask: "f32", filtered: "f32", incoming: "f32" },
  writes: { marginals: "f32" },
  parameters,
  launch: perSequence(marginalsShader),
  operations: (p) => 4 * pairsOf(p),
  cpu: ({ transitions, mask, filtered, incoming, marginals }, { sequences, length, tags }) => {
    const terms = new Float64Array(tags);
    marginals.fill(0);
    for (let sequence = 0; sequence < sequences; sequence++) {
      let next = -1;
      for (const row of scoredRows(mask, sequence, length, tags).reverse()) {
        for (let i = 0; i < tags; i++) {
          if (next >= 0) {
            for (let j = 0; j < tags; j++) {
              terms[j] = transitions[i * tags + j] + marginals[next + j] - incoming[next + j];
            }
          }
          marginals[row + i] = filtered[row + i] + (next < 0 ? 0 : logSumExp(terms));
        }
        next = row;
      }
    }
  },
});

/**
 * Gradient of the log-marginals by emissions and, for each sequence, by transitions: reverse mode through the
 * marginals' recursion, which runs forward along the sequence, then through the forward algorithm, which runs backward.
 * All factors are conditional probabilities, so nothing grows with the length.
 */
export const crfMarginalsGradientKernel = defineKernel({
  name: "crf marginals dx",
  reads: { transitions: "f32", mask: "f32", filtered: "f32", incoming: "f32", marginals: "f32", gradient: "f32" },
  writes: { emissionsGradient: "f32", transitionsGradient: "f32" },
  parameters,
  launch: perSequence(marginalsGradientShader),
  operations: (p) => 14 * pairsOf(p),
  cpu: (views, { sequences, length, tags }) => {
    const { transitions, mask, filtered, incoming, marginals, gradient, emissionsGradient, transitionsGradient } =
      views;
    emissionsGradient.fill(0);
    transitionsGradient.fill(0);
    const ofStep = new Float64Array(tags); // d loss / d incoming of the later position
    const ofRow = new Float64Array(tags); // d loss / d filtered
    for (let sequence = 0; sequence < sequences; sequence++) {
      const rows = scoredRows(mask, sequence, length, tags);
      const pairs = sequence * tags * tags;
      // What each marginal gives to the one before it; kept in the emissions' gradient until the second sweep.
      for (let k = 1; k < rows.length; k++) {
        const [row, next] = [rows[k - 1], rows[k]];
        for (let i = 0; i < tags; i++) {
          const g = gradient[row + i] + emissionsGradient[row + i];
          for (let j = 0; j < tags; j++) {
            const later = transitions[i * tags + j] + marginals[next + j] - incoming[next + j];
            const part = g * Math.exp(later + filtered[row + i] - marginals[row + i]);
            emissionsGradient[next + j] += part;
            transitionsGradient[pairs + i * tags + j] += part;
          }
        }
      }
      for (let k = rows.length - 1; k >= 0; k--) {
        const row = rows[k];
        let total = 0;
        for (let i = 0; i < tags; i++) {
          let sum = gradient[row + i] + emissionsGradient[row + i];
          for (let j = 0; k + 1 < rows.length && j < tags; j++) {
            const part = ofStep[j] *
              Math.exp(filtered[row + i] + transitions[i * tags + j] - incoming[rows[k + 1] + j]);
            transitionsGradient[pairs + i * tags + j] += part;
            sum += part;
          }
          total += ofRow[i] = sum;
        }
        for (let i = 0; i < tags; i++) {
          const own = ofRow[i] - Math.exp(filtered[row + i]) * total;
          ofStep[i] = own - emissionsGradient[row + i];
          emissionsGradient[row + i] = own;
        }
      }
    }
  },
});
