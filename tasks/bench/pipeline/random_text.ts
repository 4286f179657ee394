import { defineDataset, type Examples } from "../../../core/plugin/dataset.ts";
import { Random } from "../../../core/data/random.ts";

/** Sizes of the text that the benchmark's encoder reads. */
export interface RandomTextOptions {
  readonly vocabulary: number;
  readonly length: number;
  readonly examples: number;
}

/** Random tokens in two classes, all texts of one length: what a step costs does not depend on what they say. */
export const randomText = defineDataset<RandomTextOptions>({
  name: "random-text",
  description: "Random tokens, for benchmarks",
  options: ({ z }) =>
    z.strictObject({
      vocabulary: z.int().min(2).describe("Number of different tokens"),
      length: z.int().min(2).describe("Tokens of each text"),
      examples: z.int().min(1).describe("Texts of each split"),
    }),
  load({ vocabulary, length, examples }) {
    const split = (seed: number): Examples => ({
      length: examples,
      labels: Uint8Array.from({ length: examples }, (_, index) => index % 2),
      batch(indices) {
        const shape = [indices.length, length];
        const random = new Random(seed);
        const fill = (value: () => number) => ({
          data: Float32Array.from({ length: indices.length * length }, value),
          shape,
        });
        return {
          tokens: fill(() => random.below(vocabulary)),
          types: fill(() => 0),
          mask: fill(() => 1),
          label: { data: Float32Array.from(indices, (index) => index % 2), shape: [indices.length] },
        };
      },
    });
    return Promise.resolve({
      input: {
        task: "classification" as const,
        classes: ["0", "1"],
        image: null,
        text: { vocabulary, maxLength: length, padding: 0, files: {} },
      },
      splits: { train: split(1), test: split(2) },
    });
  },
});
