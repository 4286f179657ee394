/** A way to run the pipeline: overrides of the case's recipe, as `--set` takes them. */
export interface Variant {
  readonly name: string;
  readonly overrides: readonly string[];
}

/** A case that compares ways to run our own pipeline with the first of them. */
export interface PipelineCase {
  /** Its recipe in YAML; `TEACHER` stands for a folder with random weights of the teacher. */
  readonly recipe: string;
  /** Whether the teacher's weights are made up, as only sizes matter. */
  readonly randomTeacher: boolean;
  readonly variants: readonly Variant[];
  /** What is timed: a training step, or the evaluation of the test set. */
  readonly measures: "step" | "evaluation";
  /** Too large for variants to be in memory together; takes minutes on a software adapter. */
  readonly large?: boolean;
}

const chain = (layers: string, cores: number) => `student.overParameterise=[{ layers: "${layers}", cores: ${cores} }]`;
const alignment = "losses=[{ use: cross-entropy, weight: 0.1 }, { use: kd, weight: 0.9, temperature: 4 }, " +
  "{ use: tensor-alignment, onMismatch: skip }]";

function chains(layers: string, lengths: readonly number[]): Variant[] {
  return [
    { name: "plain KD", overrides: [] },
    ...lengths.map((cores) => ({ name: `n = ${cores}`, overrides: [chain(layers, cores)] })),
    { name: "n = 5 and L_Aux", overrides: [chain(layers, 5), alignment] },
  ];
}

/** The quickstart's data and networks, at its batch size. */
const resnet = `
name: bench
base: .
dataset:
  use: idx
  folder: plugins/datasets/data/fashion-mnist
  mean: [0.2860]
  std: [0.3530]
  classes: [t-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot]
validation: null
teacher: { use: resnet, depth: 20, width: 8, weights: plugins/models/data/fashion-resnet20 }
student: { use: resnet, depth: 8, width: 8 }
losses:
  - { use: cross-entropy, weight: 0.1 }
  - { use: kd, weight: 0.9, temperature: 4 }
train: { epochs: 1, batchSize: 128, optimiser: { use: sgd, learningRate: 0.01 } }
`;

/**
 * BERT-base by its layers' sizes: 32 texts of 128 tokens, width 768. One layer of the student and two of the teacher,
 * with a sixth of the words, stand for six and twelve: all of it grows alike.
 */
const encoder = `
name: bench
base: .
dataset: { use: random-text, vocabulary: 5087, length: 128, examples: 64 }
validation: null
teacher: { use: bert, layers: 2, width: 768, heads: 12, ffn: 3072, weights: TEACHER }
student: { use: bert, layers: 1, width: 768, heads: 12, ffn: 3072 }
losses:
  - { use: cross-entropy, weight: 0.1 }
  - { use: kd, weight: 0.9, temperature: 4 }
train: { epochs: 1, batchSize: 32, optimiser: { use: adamw, learningRate: 2.0e-5 } }
`;

const convolutions = "layer*.conv*.weight";
const matrices = "bert.encoder.layer.*.dense.weight";
const attention = "bert.encoder.layer.*.attention.self.*.weight";

/** All of a BERT layer's six matrices. */
const encoderChains = (cores: number) =>
  `student.overParameterise=[{ layers: "${matrices}", cores: ${cores} }, { layers: "${attention}", cores: ${cores} }]`;

/** The comparisons by name. */
export const pipelineCases = {
  "opdf-resnet": {
    recipe: resnet,
    randomTeacher: false,
    measures: "step",
    variants: chains(convolutions, [2, 3, 5, 7]),
  },
  "opdf-bert": {
    recipe: encoder,
    randomTeacher: true,
    measures: "step",
    large: true,
    variants: [
      { name: "plain KD", overrides: [] },
      ...[2, 5].map((cores) => ({ name: `n = ${cores}`, overrides: [encoderChains(cores)] })),
      { name: "n = 5 and L_Aux", overrides: [encoderChains(5), alignment] },
    ],
  },
  "evaluation": {
    recipe: resnet,
    randomTeacher: false,
    measures: "evaluation",
    variants: [
      { name: "plain student", overrides: [] },
      { name: "merged student, n = 5", overrides: [chain(convolutions, 5)] },
    ],
  },
  "scale": {
    recipe: resnet,
    randomTeacher: false,
    measures: "step",
    variants: [8, 32, 64, 128, 256].map((size) => ({
      name: `batch ${size}`,
      overrides: [chain(convolutions, 3), `train.batchSize=${size}`],
    })),
  },
} as const satisfies Readonly<Record<string, PipelineCase>>;

export type PipelineCaseName = keyof typeof pipelineCases;
