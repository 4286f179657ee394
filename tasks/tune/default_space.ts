import type { InputDescription } from "../../core/plugin/dataset.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import type { SpaceFile } from "./space_file.ts";

type Levers = SpaceFile["levers"];

/** What of a recipe only shows when it is opened, and how long it may become. */
export interface Ground {
  readonly data: Pick<InputDescription, "task" | "classes">;
  /** Lengths of training to be tried beside the recipe's own, in epochs. */
  readonly lengths: readonly number[];
}

const NO_CHAINS = "none";
const LABELS_ALONE = "labels alone";

/** Losses that take a label and nothing of a teacher. */
const OF_LABELS = ["cross-entropy", "binary-cross-entropy", "focal", "mse", "crf"];

/**
 * What is tried of a recipe whose user says nothing about it, as the content of a space file; the levers that were
 * worth most in the shipped experiments come first.
 *
 * @param recipe with the options of its plug-ins filled in
 */
export function defaultSpace(recipe: Recipe, ground: Ground): SpaceFile {
  return {
    levers: {
      ...start(recipe),
      ...length(ground),
      ...chains(recipe),
      ...losses(recipe, ground),
      ...rates(recipe),
      ...temperatures(recipe),
      ...weights(recipe),
      ...weightDecay(recipe),
    },
  };
}

const ofTeacher = (layers: unknown) => `teacher ${layers}`;

function start({ teacher, student }: Recipe): Levers {
  if (!teacher || student.use !== teacher.use) return {};
  const { weights, initialise } = student;
  const own = initialise?.from === "teacher"
    ? ofTeacher(initialise.layers)
    : weights !== null || initialise
    ? "weights"
    : "fresh";
  const choices = Object.fromEntries(
    ["mapped", "last", "first"].map((layers) => [
      ofTeacher(layers),
      { student: { weights: null, initialise: { from: "teacher", layers } } },
    ]),
  );
  const fresh = { student: { weights: null, initialise: null, head: "keep" } };
  const all: Record<string, Record<string, unknown>> = { ...choices, fresh };
  const { [own]: _own, ...others } = all;
  return { start: { own, choices: others, off: "fresh" } };
}

function length({ lengths }: Ground): Levers {
  if (lengths.length === 0) return {};
  // What more time would be worth is told also where the best does not take it.
  return { epochs: { key: "train.epochs", values: [...lengths], against: lengths[0] } };
}

/** Whether a weight of the student is a chain, of which losses may compare cores. */
export const hasChains = ({ student }: Recipe) =>
  student.overParameterise.some(({ use, cores }) => use === "mpo" && cores !== 1);

/** Other kinds than chains, as they are called here. */
const KINDS = { "sums of 2 kernels": { use: "sum", kernels: 2 }, "DO-Conv": { use: "do-conv" } } as const;

function chains(recipe: Recipe): Levers {
  if (!hasChains(recipe)) return {};
  const { overParameterise } = recipe.student;
  const named = (cores: number) => `${cores} cores`;
  const [first, ...rest] = new Set(overParameterise.map(({ use, cores }) => use === "mpo" ? cores : null));
  const own = rest.length === 0 && first !== null ? named(first) : "as it is";
  const all = (entry: Record<string, unknown>) => ({
    student: { overParameterise: overParameterise.map(({ layers }) => ({ layers, ...entry })) },
  });
  const choices: Record<string, Record<string, unknown>> = {
    [NO_CHAINS]: { student: { overParameterise: [] } },
    ...Object.fromEntries(
      [2, 3, 5].map((cores) => {
        const entries = overParameterise.map(({ layers, gauge }) => ({ layers, gauge, cores }));
        return [named(cores), { student: { overParameterise: entries } }];
      }),
    ),
    ...Object.fromEntries(Object.entries(KINDS).map(([name, entry]) => [name, all(entry)])),
  };
  const { [own]: _own, ...others } = choices;
  return { cores: { own, choices: others, off: NO_CHAINS } };
}

function losses({ losses }: Recipe, { data: { task, classes } }: Ground): Levers {
  const own = losses.map(({ use }) => use).join(" + ");
  const choices: Record<string, Record<string, unknown>> = {};
  const label = losses.find(({ use }) => OF_LABELS.includes(use));
  if (label && losses.length > 1) choices[LABELS_ALONE] = { losses: [{ ...label, weight: 1 }] };
  const at = losses.findIndex(({ use }) => use === "kd");
  if (at >= 0 && task === "classification") {
    const { weight } = losses[at];
    // Of two standardised logits, and of the one class beside the label's, there is nothing to learn.
    if (classes.length > 2) {
      choices["logit-standardization for kd"] = {
        [`losses[${at}]`]: { use: "logit-standardization", weight, temperature: 2 },
      };
      choices["dkd for kd"] = { [`losses[${at}]`]: { use: "dkd", weight, alpha: 1, beta: 2, temperature: 4 } };
    }
  }
  if (Object.keys(choices).length === 0) return {};
  return { losses: { own, choices, ...choices[LABELS_ALONE] && { off: LABELS_ALONE } } };
}

/** So many times more or less than a number, to three digits. */
const around = (own: number, less: number, more: number) => ({
  from: +(own / less).toPrecision(3),
  to: +(own * more).toPrecision(3),
});

function rates(recipe: Recipe): Levers {
  const { optimiser: { learningRate }, cores: { learningRateScale } } = recipe.train;
  return {
    "learning rate": { key: "train.optimiser.learningRate", ...around(learningRate, 5, 5) },
    ...hasChains(recipe) && {
      "rate of cores": {
        key: "train.cores.learningRateScale",
        ...around(learningRateScale, 10, 3),
        unless: { cores: NO_CHAINS },
      },
    },
  };
}

/** What the positions of a loss's numbers go by: a loss that is not there has none. */
function unlessGone(recipe: Recipe, use: string) {
  const { losses } = recipe;
  const isOffered = losses.length > 1 && losses.some(({ use }) => OF_LABELS.includes(use));
  return {
    ...use === "tensor-alignment" && { cores: [NO_CHAINS, ...Object.keys(KINDS)] },
    ...isOffered && { losses: LABELS_ALONE },
  };
}

/** A loss's name, and its place where others have the same one. */
function nameIn({ losses }: Recipe, index: number): string {
  const { use } = losses[index];
  return losses.filter((other) => other.use === use).length > 1 ? `${use} (${index + 1})` : use;
}

function temperatures(recipe: Recipe): Levers {
  const found = recipe.losses.flatMap((loss, index): [string, Levers[string]][] => {
    const { use, temperature } = loss;
    // One that follows a schedule was thought about.
    if (typeof temperature !== "number") return [];
    return [[`temperature of ${nameIn(recipe, index)}`, {
      key: `losses[${index}].temperature`,
      ...around(temperature, 4, 4),
      unless: unlessGone(recipe, use),
    }]];
  });
  return Object.fromEntries(found);
}

function weights(recipe: Recipe): Levers {
  const { losses } = recipe;
  if (losses.length < 2) return {};
  const found = losses.flatMap(({ use, weight }, index): [string, Levers[string]][] => {
    // Against that of the labels the others are weighed; where there is none, against the first.
    const reference = Math.max(0, losses.findIndex(({ use }) => OF_LABELS.includes(use)));
    if (index === reference || typeof weight !== "number" || weight === 0) return [];
    // What a weight is is an open question for losses beside the one that teaches; 100 is little for tensors.
    const range = use === "tensor-alignment" ? { ...around(weight, 10, 100), off: 0 } : around(weight, 5, 5);
    return [[`weight of ${nameIn(recipe, index)}`, {
      key: `losses[${index}].weight`,
      ...range,
      unless: unlessGone(recipe, use),
    }]];
  });
  return Object.fromEntries(found);
}

function weightDecay({ train: { optimiser } }: Recipe): Levers {
  const { weightDecay: own, use } = optimiser;
  const range = own > 0
    ? { ...around(own, 10, 10), off: 0 }
    : use === "sgd"
    ? around(1e-4, 10, 10)
    : around(0.01, 10, 10);
  return { "weight decay": { key: "train.optimiser.weightDecay", ...range } };
}
