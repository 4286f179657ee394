import { UserError } from "../../core/errors.ts";
import { defineLoss, type LossSetup, type PrepareCall } from "../../core/plugin/loss.ts";
import type { Model } from "../../core/plugin/model.ts";
import { bounded, temperatureSchema } from "../../core/recipe/bounds.ts";
import type { Scheduled } from "../../core/recipe/scheduled.ts";
import { logitsOfDecisions } from "./decision_logits.ts";
import { withNoise } from "./input_noise.ts";
import { expectClasses } from "./token_rows.ts";

interface DbkdOptions {
  readonly queries: number;
  readonly noise: number;
  readonly temperature: Scheduled;
  readonly scale: number;
}

const NOTHING: ReadonlySet<string> = new Set();

/** Of each training example how often the teacher decided for each class. `[examples, classes]` */
async function askedDecisions(
  { queries, noise }: DbkdOptions,
  teacher: Model,
  classes: number,
  { ops, overTrainingBatches, random }: PrepareCall,
  examples: number,
): Promise<Float64Array> {
  const shares = new Float64Array(examples * classes);
  for (let copy = 0; copy < queries; copy++) {
    const draws = random.split(copy);
    const randomOf = (example: number) => draws.split(example);
    const decided = overTrainingBatches(
      // All that is looked at is the class: the teacher may as well hide the rest.
      (call) => ops.argmax(teacher.forward({ ...call, wanted: NOTHING }).logits),
      (batch, indices) => copy === 0 ? batch : withNoise(batch, indices, { amount: noise, copy, randomOf }),
    );
    for await (const { indices, data } of decided) {
      indices.forEach((example, row) => shares[example * classes + data[row]] += 1 / queries);
    }
  }
  return shares;
}

/** The same of a file that has them. */
async function recordedDecisions(classes: number, { overTrainingSet }: PrepareCall): Promise<Float64Array> {
  const logarithms = await overTrainingSet(({ logits }) => logits);
  const shares = Float64Array.from(logarithms, Math.exp);
  for (let begin = 0; begin < shares.length; begin += classes) {
    const own = shares.subarray(begin, begin + classes);
    const sum = own.reduce((total, share) => total + share);
    own.forEach((share, index) => own[index] = share / sum);
  }
  return shares;
}

/** Logits of all examples, `[examples, classes]`; equal decisions are solved for once. */
function estimates(shares: Float64Array, classes: number, scale: number): Float32Array {
  const known = new Map<string, number[]>();
  const logits = new Float32Array(shares.length);
  for (let begin = 0; begin < shares.length; begin += classes) {
    const own = [...shares.subarray(begin, begin + classes)];
    const key = own.map((share) => share.toFixed(6)).join();
    const found = known.get(key) ?? logitsOfDecisions(own);
    known.set(key, found);
    logits.set(found.map((logit) => scale * logit), begin);
  }
  return logits;
}

/** Says of how many examples the decisions tell no more than one does. */
function tellUnanimous(shares: Float64Array, classes: number, { report }: LossSetup): void {
  const examples = shares.length / classes;
  let unanimous = 0;
  for (let example = 0; example < examples; example++) {
    if (shares.subarray(example * classes, (example + 1) * classes).some((share) => share > 0.999)) unanimous++;
  }
  report(
    `dbkd: the decisions on ${
      (100 * unanimous / examples).toFixed(1)
    } % of ${examples} examples are all alike, which ` +
      "have the same estimate",
  );
}

/**
 * Decision-based distillation (DBKD, Zhou et al., ACL 2023, arXiv 2306.08909): of the teacher only decisions are
 * looked at, the class that it answers. It is asked N times about each training example, once as it is and N - 1 times
 * changed at random; if the changes act on its logits as normal noise does, the shares p of its decisions tell the
 * logits z: a root of P(z) = p, P_i(z) the probability that z_i + e_i is the largest, e normal of deviation 1. The loss
 * is T^2 KL(softmax(s z / T) || softmax(z_S / T)), mean over the batch. All of it is done once before training.
 *
 * N = 10, the iteration for the root and its end are the published code's ({@link logitsOfDecisions}), as are its
 * recommended T = 1, s = 1 and weight 0.7 beside 1 for cross-entropy. Its changes of texts are those of EDA (Wei and
 * Zou 2019): synonyms by WordNet, insertions of synonyms, swaps and deletions of words. Here they are of tokens and
 * need no dictionary: swaps and deletions, of the same mean share of a tenth, drawn likewise. Images get normal noise.
 *
 * A teacher that is a file of decisions (`outputs` with `values: decisions`) is not asked: the file says what was
 * decided, however often and however the inputs were changed there.
 */
export const dbkd = defineLoss<DbkdOptions>({
  name: "dbkd",
  description: "Distillation of logits that are estimated from a teacher's decisions alone (DBKD)",
  equation: "T^2 KL(softmax(s z / T) || softmax(z_S / T)), P(argmax_c z_c + e_c = i) = share of decisions for i",
  source: "Zhou et al., ACL 2023, arXiv 2306.08909",
  options: ({ z, scheduled }) =>
    z.strictObject({
      queries: bounded(z.int().min(2).max(1000), "each runs the teacher over all training examples").default(10)
        .describe("How often the teacher is asked about each example, N"),
      noise: bounded(z.number().positive().max(10), "nothing of an example is left").default(0.1).describe(
        "Mean share of a text's tokens that is changed; of images the deviation of the noise, in units of the model's inputs",
      ),
      temperature: scheduled(temperatureSchema).default(1).describe("Temperature T that softens both outputs"),
      scale: bounded(z.number().positive().max(1e3), "beyond, one class alone is left").default(1).describe(
        "Factor s of the estimated logits: the deviation that the noise has among the teacher's logits",
      ),
    }),
  create(options, setup) {
    const { data, teacher, trainingExamples } = setup;
    if (!teacher) throw new UserError('Cannot use the loss "dbkd" without a teacher');
    expectClasses("dbkd", data, "mse-logits", "hard-distillation");
    if (data.task !== "classification") {
      throw new UserError(`Cannot use the loss "dbkd" for ${data.task}: it asks for one class of each example`);
    }
    if (teacher.gives && !teacher.decisions) {
      throw new UserError(
        'Cannot use the loss "dbkd" with a teacher that is a file of outputs and not of decisions: it cannot be asked ' +
          "again; use kd, or a file with values: decisions",
      );
    }
    const classes = data.classes.length;
    const { temperature } = options;
    let known: Float32Array = new Float32Array(0);
    return {
      teacherOutputs: teacher.decisions ? ["logits"] : [],
      runsTeacher: !teacher.decisions,
      async prepare(call) {
        const shares = teacher.decisions
          ? await recordedDecisions(classes, call)
          : await askedDecisions(options, teacher, classes, call, trainingExamples);
        tellUnanimous(shares, classes, setup);
        known = estimates(shares, classes, options.scale);
      },
      inputs({ indices }) {
        const data = new Float32Array(indices.length * classes);
        indices.forEach((example, row) => {
          data.set(known.subarray(example * classes, (example + 1) * classes), row * classes);
        });
        return { estimates: { data, shape: [indices.length, classes] } };
      },
      compute({ ops, student, batch, at }) {
        const t = at(temperature);
        return ops.scale(ops.mean(ops.klDivergence(batch.estimates, student.logits, 1 / t)), t * t);
      },
    };
  },
});
