import { batchSize, bounded, classNumber, exampleCount, lossFactor, nameSchema, seedSchema } from "./bounds.ts";
import { z } from "zod";
import { pluginUse } from "./plugin_use.ts";
import type { Recipe } from "./recipe_type.ts";
import { scheduled } from "./scheduled.ts";
import { exportSchema } from "./schema_export.ts";
import { otherTeacherSchema, studentSchema, teacherSchema } from "./schema_student.ts";
import { trainSchema } from "./schema_train.ts";
import type { Schema } from "./zod_schema.ts";

export type { Recipe };

const validation = z.strictObject({
  from: z.string().min(1).default("train").describe("Split of the data set that the examples are taken out of"),
  fraction: z.number().positive().max(1).nullable().default(null).describe(
    "Part of that split that is taken; 1: the whole of one that is not trained on",
  ),
  count: exampleCount.nullable().default(null).describe("Number of examples that are taken, instead of fraction"),
  stratify: z.boolean().default(true).describe("Take the same part of each class"),
}).refine(({ fraction, count }) => (fraction === null) !== (count === null), {
  error: ({ input }) => {
    const both = (input as { count: unknown }).count !== null;
    return `Expected one of fraction and count: got ${both ? "both" : "neither"}`;
  },
});

const subset = z.strictObject({
  fraction: z.number().positive().lt(1).describe("Part of the training examples that is used, the same of each class"),
});

const labelNoise = z.strictObject({
  fraction: z.number().positive().lt(1).describe(
    "Part of the training labels that become one of the other classes, each as likely (symmetric noise)",
  ),
});

const mixingAlpha = bounded(z.number().min(0).max(100), "beyond it every share is about a half");

const randAugment = z.strictObject({
  operations: bounded(z.int().min(1).max(16), "there are 14").default(2).describe("How many are applied to an image"),
  magnitude: bounded(z.int().min(0).max(1023), "it is below bins").default(9).describe(
    "The step of their strength, from 0, which is the weakest, below bins",
  ),
  bins: bounded(z.int().min(2).max(1024), "each step is then finer than a pixel's byte").default(31).describe(
    "In how many steps the strongest is reached",
  ),
}).refine(({ magnitude, bins }) => magnitude < bins, {
  path: ["magnitude"],
  error: ({ input }) => {
    const { magnitude, bins } = input as { magnitude: number; bins: number };
    return `Expected a magnitude below ${bins}, the number of bins: got ${magnitude}`;
  },
});

const augment = z.strictObject({
  flip: z.boolean().default(false).describe("Mirror half of the images, left to right"),
  shift: bounded(z.int().min(0).max(2 ** 14), "no image is larger").default(0).describe(
    "Shift by up to this many pixels each way, filled with zeros",
  ),
  crop: bounded(z.number().min(0.01).max(1), "it is the least part of the area that is kept").nullable().default(null)
    .describe("Enlarge a random part of each image, of at least this part of its area, to the whole (0.08 is usual)"),
  rotate: bounded(z.number().min(0).max(180), "it goes both ways").default(0).describe(
    "Turn by up to this many degrees each way, filled with zeros",
  ),
  jitter: bounded(z.number().min(0).max(1), "more leaves nothing to be seen").default(0).describe(
    "Multiply brightness, contrast and saturation by 1 minus to 1 plus this",
  ),
  erase: z.number().min(0).max(1).default(0).describe("Probability that a random rectangle becomes the mean"),
  randAugment: randAugment.nullable().default(null).describe(
    "Operations drawn from torchvision's list of 14 (RandAugment); {}: two of the strength 9 of 31",
  ),
  mixup: mixingAlpha.default(0).describe(
    "Mix each image and its label with another's of the batch by mixup; the share follows Beta(mixup, mixup); 0: not",
  ),
  cutmix: mixingAlpha.default(0).describe(
    "The same by CutMix, which puts a rectangle of the other image there; with mixup each is as likely; 0: not",
  ),
});

/** A data set plug-in; its other keys are the plug-in's options. */
const dataset = z.looseObject({
  ...pluginUse("Data set", "./my_dataset.ts"),
});

/** A loss plug-in; its other keys are the plug-in's options. */
const loss = z.looseObject({
  ...pluginUse("Loss", "./my_loss.ts"),
  weight: scheduled(lossFactor).default(1).describe(
    "Factor of this loss in the sum; may change during training",
  ),
});

/** A name on Hugging Face's pages: of a model or data set, with its owner or without. */
const hubName = z.string().max(96).regex(/^[\w.-]+(\/[\w.-]+)?$/, {
  error: "Expected a name such as owner/model, of letters, digits, dots, hyphens and underscores",
});

const fields = z.strictObject({
  name: nameSchema.describe(
    "Name of the experiment: letters, digits, dots, hyphens and underscores",
  ),
  seed: seedSchema.default(0).describe("Seed of all random numbers"),
  backend: z.enum(["auto", "webgpu", "cpu"]).default("auto").describe(
    "Where to compute; auto: a hardware GPU if there is one, otherwise cpu",
  ),
  output: z.string().min(1).nullable().default(null).describe(
    "Run folder, relative to the working directory; null: runs/ and the recipe's name",
  ),
  base: z.string().min(1).default(".").describe(
    "Folder that files named in this recipe are relative to; itself relative to the recipe's folder",
  ),
  dataset: dataset.describe("Examples to train on and to test with"),
  validation: validation.nullable().prefault({ fraction: 0.1 }).describe(
    "Examples kept out of training to watch it, with their copies where the data set knows them, apart from the test set; " +
      "null: none",
  ),
  subset: subset.nullable().default(null).describe(
    "Training on a part of the examples, drawn by the recipe's seed after validation examples are out; null: on all",
  ),
  labelNoise: labelNoise.nullable().default(null).describe(
    "Training on labels some of which are wrong on purpose, drawn by the recipe's seed, to see what stands that; those of " +
      "validation and test stay right (evaluate.train measures by the wrong ones); null: none",
  ),
  augment: augment.prefault({}).describe("Random changes to training images"),
  teacher: teacherSchema.nullable().default(null).describe("Model to distil from; null: the student learns alone"),
  student: studentSchema.describe("Model that is trained"),
  losses: z.array(loss).min(1).describe("What training minimises: the sum of these, each times its weight"),
  train: trainSchema.describe("How the student is trained"),
  evaluate: z.strictObject({
    batchSize: batchSize.default(500).describe("Examples per batch when nothing is trained"),
    positiveClass: z.union([z.string().min(1), classNumber, z.boolean()]).nullable().default(null).describe(
      "The class whose F1 is called f1; null: the second of two classes, as GLUE has it",
    ),
    threshold: bounded(z.number().gt(0).lt(1), "nothing or everything would be of each class").default(0.5).describe(
      "The probability from which an example is taken for one of a class, where it may be of several",
    ),
    train: z.boolean().default(false).describe("Measure accuracy on the training examples too, without augmentation"),
  }).prefault({}).describe("How accuracy is measured"),
  card: z.strictObject({
    license: z.string().min(1).max(96).nullable().default(null).describe(
      "Licence of the student, as mit, apache-2.0, cc-by-4.0; null: the card names none",
    ),
    baseModel: hubName.nullable().default(null).describe(
      "Hugging Face's name of the model that the student was made from, as google-bert/bert-base-uncased; null: unsaid",
    ),
    dataset: hubName.nullable().default(null).describe(
      "Hugging Face's name of the data set, as stanfordnlp/sst2; null: unsaid",
    ),
  }).prefault({}).describe("What the student's model card (README.md) says that nothing else in the recipe does"),
  log: z.strictObject({
    tensorboard: z.boolean().default(false).describe(
      "Write event files for TensorBoard into the run folder's tensorboard/: the log's numbers as curves, after each epoch " +
        "the singular values of over-parameterised matrices, and the recipe",
    ),
  }).prefault({}).describe("What is written beside metrics.jsonl while training runs"),
  verify: z.strictObject({
    tolerance: bounded(z.number().positive().max(1), "logits that differ by more are those of another model").default(
      1e-3,
    ).describe(
      "Largest difference allowed between logits of the factored and the merged student, times the largest logit if that is above 1",
    ),
    probe: exampleCount.default(256).describe("Test examples on which the two are compared"),
  }).prefault({}).describe("The check that merging changed nothing"),
  export: exportSchema.prefault({}).describe("The form of the exported student, and other formats of it"),
});

const whole = fields.superRefine(({ validation, train, student, export: { keepFactors, manifest } }, context) => {
  const { prune } = student;
  if (keepFactors !== false && prune && (prune.structure !== "channels" || prune.schedule === "cubic")) {
    const message = prune.structure === "channels"
      ? "Cannot keep factors where channels go step by step: expected prune.schedule: once"
      : `Cannot keep factors of a student pruned ${prune.structure}: their product has no zeros`;
    context.addIssue({ code: "custom", path: ["export", "keepFactors"], message });
  }
  const isGradual = prune?.structure === "channels" && prune.schedule === "cubic";
  if (isGradual && manifest && student.overParameterise.some(({ rows }) => rows !== null)) {
    const message =
      "Cannot say how exactly chains of given rows and cols hold matrices whose channels go step by step: " +
      "expected cores or increaseRate in student.overParameterise, or no manifest";
    context.addIssue({ code: "custom", path: ["export", "manifest"], message });
  }
  if (validation !== null) return;
  const needing = ([["earlyStopping", train.earlyStopping !== null], ["restoreBest", train.restoreBest]] as const)
    .filter(([, used]) => used);
  for (const [key] of needing) {
    const message = `Cannot use ${key} as it goes by validation examples: validation is null`;
    context.addIssue({ code: "custom", path: ["train", key], message });
  }
}).transform((recipe) => ({ ...recipe, output: recipe.output ?? `runs/${recipe.name}` }));

/** Whether two types hold the same, whatever in them is `readonly`. */
type Same<A, B> = [Frozen<A>] extends [Frozen<B>] ? [Frozen<B>] extends [Frozen<A>] ? true : false : false;
type Frozen<Part> = Part extends object ? { readonly [Key in keyof Part]: Frozen<Part[Key]> } : Part;

/** A recipe: one experiment. What it gives is a recipe again, with every default filled in. */
export const recipeSchema: Schema<Recipe> = whole satisfies Same<z.output<typeof whole>, Recipe> extends true
  ? z.ZodType
  : never;

/** Keys that every data set, model and loss has beside the options of its plug-in. */
export const sharedKeys: Readonly<Record<"dataset" | "teacher" | "otherTeacher" | "student" | "loss", string[]>> = {
  dataset: Object.keys(dataset.shape),
  teacher: Object.keys(teacherSchema.shape),
  otherTeacher: Object.keys(otherTeacherSchema.shape),
  student: Object.keys(studentSchema.shape),
  loss: Object.keys(loss.shape),
};
