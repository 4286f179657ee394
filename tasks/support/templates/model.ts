/**
 * A model to start from.
 *
 * @param name its name in recipes
 * @param library what it imports our types from
 */
export function modelTemplate(name: string, library: string): string {
  return `import type { ModelDefinition, ParameterSpec } from "${library}";

/** Weight and bias of a linear layer; the weight may be trained as a chain of cores. */
function linear(name: string, outputs: number, inputs: number): ParameterSpec[] {
  const shared = { initialise: { use: "uniform", bound: 1 / Math.sqrt(inputs) }, trainable: true } as const;
  return [
    { name: \`\${name}.weight\`, shape: [outputs, inputs], overParameterisable: true, ...shared },
    { name: \`\${name}.bias\`, shape: [outputs], overParameterisable: false, ...shared },
  ];
}

/** A perceptron with one hidden layer: W2 relu(W1 x + b1) + b2. Its hidden layer is \`features.fc1\` and \`pooled\`. */
const model: ModelDefinition<{ hidden: number }> = {
  kind: "model",
  name: "${name}",
  description: "Perceptron with one hidden layer",
  equation: "W2 relu(W1 x + b1) + b2",
  options: ({ z }) =>
    z.strictObject({ hidden: z.int().min(1).max(2 ** 16).default(64).describe("Width of the hidden layer") }),
  build({ hidden }, { image, task, classes }) {
    if (!image || task !== "classification") throw new Error("Cannot build a perceptron but for classes of images");
    const inputs = image.size.reduce((product, extent) => product * extent, 1);
    return {
      parameters: [...linear("fc1", hidden, inputs), ...linear("fc2", classes.length, hidden)],
      classifier: "fc2.weight",
      forward({ ops, weights, batch }) {
        const layer = (x: typeof batch.image, name: string) =>
          ops.linear(x, weights.get(\`\${name}.weight\`), weights.get(\`\${name}.bias\`));
        const h = ops.relu(layer(ops.reshape(batch.image, [-1, inputs]), "fc1")); // [batch, hidden]
        return { logits: layer(h, "fc2"), features: { fc1: h }, hidden: [h], attention: [], pooled: h };
      },
      config: { hidden }, // the options from which it can be built again
      fromForeign: (name) => name,
    };
  },
};
export default model;
`;
}
