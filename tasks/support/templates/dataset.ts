/**
 * A data set to start from.
 *
 * @param name its name in recipes
 * @param library what it imports our types from
 */
export function datasetTemplate(name: string, library: string): string {
  return `import type { DatasetDefinition, Examples } from "${library}";

const CLASSES = ["top", "middle", "bottom"];

/** Noisy grey images with a bright band: the class says where. They are made up, so that no file is needed. */
const dataset: DatasetDefinition<{ size: number; train: number; test: number; noise: number }> = {
  kind: "dataset",
  name: "${name}",
  description: "Made-up images with a bright band",
  options: ({ z }) =>
    z.strictObject({
      size: z.int().min(3).max(256).default(8).describe("Height and width of the images"),
      train: z.int().min(1).max(1e6).default(300).describe("Number of training images"),
      test: z.int().min(1).max(1e6).default(60).describe("Number of test images"),
      noise: z.number().min(0).max(100).default(0.5).describe(
        "Standard deviation of the noise; the band is 1 brighter",
      ),
    }),
  load({ size, train, test, noise }, { random }) {
    const examples = (split: string, length: number): Examples => {
      const labels = Uint8Array.from({ length }, (_, index) => index % CLASSES.length);
      return {
        length,
        labels,
        batch(indices) {
          const data = new Float32Array(indices.length * size * size);
          indices.forEach((index, place) => {
            // A stream of its own, so that an example is the same wherever it stands in a batch.
            const stream = random.split(\`\${split} \${index}\`);
            for (let pixel = 0; pixel < size * size; pixel++) {
              const band = Math.floor(Math.floor(pixel / size) * CLASSES.length / size);
              data[place * size * size + pixel] = (band === labels[index] ? 1 : 0) + noise * stream.normal();
            }
          });
          const label = Float32Array.from(indices, (index) => labels[index]);
          return {
            image: { data, shape: [indices.length, size, size, 1] },
            label: { data: label, shape: [indices.length] },
          };
        },
      };
    };
    return Promise.resolve({
      input: {
        task: "classification",
        classes: CLASSES,
        image: { size: [size, size, 1], normalise: { mean: [0], std: [1] } },
        text: null,
      },
      splits: { train: examples("train", train), test: examples("test", test) },
    });
  },
};
export default dataset;
`;
}
