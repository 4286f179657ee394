import { z } from "zod";
import { GAUGES } from "../mpo/gauge.ts";
import { bounded, classNumber, layerIndex } from "./bounds.ts";
import { layerPatterns } from "./layer_patterns.ts";
import { pluginUse } from "./plugin_use.ts";
import { pruneSchema } from "./schema_prune.ts";

const count = z.int().min(1);

/** One factor of a matrix's rows or columns. */
const factor = bounded(count.max(2 ** 24), "no memory holds a matrix of as many rows or columns");

/** The paper stops at 11. */
const MOST_CORES = 64;

/** As many as cores. */
const MOST_KERNELS = 64;

const factors = z.array(factor).min(2).max(MOST_CORES).nullable().default(null);

const overParameterised = z.strictObject({
  layers: layerPatterns.describe(
    'Pattern of weight names, or a list of them: * stands for any characters, dots included, and "!pattern" leaves out',
  ),
  use: z.enum(["mpo", "sum", "do-conv", "majority"]).default("mpo").describe(
    "What they are trained as: mpo, chains of cores; sum, kernels with gains; do-conv, a kernel behind a depthwise one; " +
      "majority, random mixes of kernels",
  ),
  kernels: bounded(count.max(MOST_KERNELS), "no memory has room for so many of each weight").nullable().default(null)
    .describe("Number of kernels of sum and majority; of majority 1 leaves the weight as it is"),
  cores: bounded(count.max(MOST_CORES), "more cores than that only multiply identities").nullable().default(null)
    .describe(
      "Number of cores of each chain: 1 leaves the weight as it is, 2 is the SVD baseline",
    ),
  rows: factors.describe("Factors of the rows (outputs), one for each core"),
  cols: factors.describe("Factors of the columns (inputs), one for each core"),
  increaseRate: bounded(
    z.number().min(1).max(1e4),
    "no memory has room for such chains",
  ).nullable().default(null).describe(
    "Wanted parameters of each chain as a multiple of its matrix's; the number of cores that comes nearest is taken",
  ),
  gauge: z.enum(GAUGES).default(GAUGES[0]).describe(
    "Where the singular values go: shared between the cores, or in the last (left-canonical) or first (right-canonical)",
  ),
}).superRefine(({ use, kernels, cores, rows, cols, increaseRate, gauge }, context) => {
  const refuse = (message: string) => context.addIssue({ code: "custom", message });
  const takesKernels = use === "sum" || use === "majority";
  if (takesKernels && kernels === null) return refuse(`Expected kernels, their number, with use: ${use}: got none`);
  const foreign = Object.entries({
    kernels: !takesKernels && kernels !== null,
    ...use !== "mpo" && {
      cores: cores !== null,
      rows: rows !== null,
      cols: cols !== null,
      increaseRate: increaseRate !== null,
      gauge: gauge !== GAUGES[0],
    },
  }).filter(([, given]) => given).map(([key]) => key);
  if (foreign.length > 0) {
    const whose = foreign[0] === "kernels" ? "sum and majority" : "mpo";
    return refuse(`Expected ${foreign[0]} with use: ${whose} alone: got use: ${use}`);
  }
  if (use !== "mpo") return;
  if ((rows === null) !== (cols === null)) {
    return refuse(`Expected both rows and cols: got only ${rows === null ? "cols" : "rows"}`);
  }
  if (rows && cols && rows.length !== cols.length) {
    refuse(`Expected as many factors in rows as in cols: got ${rows.length} and ${cols.length}`);
  }
  const given = [cores !== null && "cores", rows !== null && "rows and cols", increaseRate !== null && "increaseRate"]
    .filter((name) => name !== false);
  if (given.length !== 1) {
    refuse(`Expected one of cores, rows and cols, or increaseRate: got ${given.join(" as well as ") || "none"}`);
  }
});

const perChannel = (number: z.ZodNumber) => z.array(number).min(1).max(64);

const side = bounded(z.int().min(1).max(8192), "images are not larger");

const trained = {
  ...pluginUse("Model", "./my_model.ts"),
  weights: z.string().min(1).nullable().default(null).describe(
    "Folder or .safetensors file of the trained weights; null: none, for a teacher that is a file of outputs",
  ),
  classes: z.array(z.union([z.string().min(1), classNumber, z.boolean()])).min(2).nullable().default(null).describe(
    "Names of the data set's classes in the order of the model's logits; null: those of its config.json",
  ),
  tokenizer: z.string().min(1).nullable().default(null).describe(
    "Tokenizer that the model was trained with: a Hugging Face folder, a tokenizer.json or a vocab.txt; null: that in " +
      "its folder, or the data set's where there is none",
  ),
  normalise: z.strictObject({
    mean: perChannel(bounded(z.number().min(-1e6).max(1e6), "pixels go from 0 to 1")).describe(
      "Mean of each channel of the pixels in [0, 1]",
    ),
    std: perChannel(bounded(z.number().min(1e-6).max(1e6), "pixels go from 0 to 1")).describe(
      "Standard deviation of each channel",
    ),
  }).nullable().default(null).describe(
    "How the model's images are normalised; null: as its folder's config.json or preprocessor_config.json says, or " +
      "the data set's where neither does",
  ),
  imageSize: z.union([side, z.tuple([side, side])]).nullable().default(null).describe(
    "Side of the square images that the model takes, or their height and width; null: as its folder says, or the " +
      "data set's",
  ),
  share: bounded(
    z.number().min(1e-6).max(1e6),
    "beside such shares the other teachers would count for nothing, or for all",
  ).default(1).describe("Part in the mean of several teachers' predictions"),
};

/** One more model that is distilled from; its other keys are options of the model plug-in. */
export const otherTeacherSchema = z.looseObject(trained);

/** The model that is distilled from; its other keys are options of the model plug-in. */
export const teacherSchema = z.looseObject({
  ...trained,
  others: z.array(otherTeacherSchema).default([]).describe(
    "Further teachers: logits are those of the mean prediction, weighted by share (of a CRF its marginals, and the whole " +
      "has no chains); other outputs are the first one's",
  ),
  onPoorTeacher: z.enum(["warn", "refuse", "ignore"]).default("warn").describe(
    "What to do about a teacher that is no better than a guess on validation or training examples, or would be much " +
      "better with its classes in another order",
  ),
  cache: z.string().min(1).nullable().default(null).describe(
    "Folder for the outputs over the training examples, computed once and used again; null: computed in every step",
  ),
  keep: z.strictObject({
    topK: bounded(z.int().min(1).max(2 ** 20), "no teacher has more classes").describe(
      "How many of an example's logits are kept: the largest, and of all others the sum of their probabilities",
    ),
  }).nullable().default(null).describe(
    "What of the outputs is kept in cache; null: all that the losses read",
  ),
});

const initialise = z.strictObject({
  from: z.enum(["teacher", "weights"]).describe("Whose layers: those of teacher, or of student.weights"),
  layers: z.union([z.enum(["first", "mapped", "last"]), z.array(layerIndex.min(0)).min(1)]).default("mapped").describe(
    "Its layers that the student's start as: the first, the last, of each layer's share the last that fits " +
      "(mapped: 1, 3, 5, .. of twice as many), or a list of their numbers from 0",
  ),
});

/** The model that is trained; its other keys are options of the model plug-in. */
export const studentSchema = z.looseObject({
  ...pluginUse("Model", "./my_model.ts"),
  weights: z.string().min(1).nullable().default(null).describe(
    "Folder or .safetensors file to start from; null: fresh weights",
  ),
  initialise: initialise.nullable().default(null).describe(
    "Start from layers of the teacher or of weights, which must have the student's width; null: from all of weights",
  ),
  head: z.enum(["keep", "fresh"]).default("keep").describe(
    "The last layer, which makes the logits, of a student that starts from weights or its teacher: theirs, or a fresh one",
  ),
  overParameterise: z.array(overParameterised).default([]).describe(
    "Weights that are over-parameterised, by chains of cores (MPO) or otherwise; of several entries that match a weight " +
      "the first counts",
  ),
  prune: pruneSchema.nullable().default(null).describe(
    "Weights or channels of the student that are taken away; null: none",
  ),
});
