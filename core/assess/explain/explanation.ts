import { UserError } from "../../errors.ts";
import { batchesOf } from "../../evaluate/batches.ts";
import type { Ops } from "../../ops/ops.ts";
import type { AssessCall, Assessed, Assessment } from "../assessment.ts";
import type { Vocabulary } from "../../model_folder/vocabulary.ts";
import { decided, notFinite } from "../logits.ts";
import { progressOf } from "../progress.ts";
import { someExamples } from "../some_examples.ts";
import type { Subject } from "../subject.ts";
import { agreementOf, type ExplanationAgreement } from "./agreement.ts";
import { type ExplainCall, type ExplainSettings, type Explanation, type MethodName, METHODS } from "./methods.ts";
import { showExplanations } from "./show.ts";
import { type Word, wordsOf } from "./words.ts";

/** The most examples that are explained, and how many at once. */
const MOST_EXAMPLES = 16, AT_ONCE = 8;

/** What there is no flag for. */
const SETTINGS: Pick<ExplainSettings, "lrp" | "patches" | "sets" | "background"> = {
  lrp: { rule: "composite", first: "z-box", epsilon: 1e-6 },
  patches: 3,
  sets: 512,
  background: "black",
};

/** Steps of integrated gradients: the gradients of encoders are smooth, those of ReLU networks jump. */
const stepsFor = ({ text }: Subject["input"]) => text ? 32 : 128;

/** How one model's answers are explained. */
export interface ExplainedSubject {
  readonly subject: Subject;
  readonly methods: Readonly<Record<MethodName, Explanation | { readonly refused: string }>>;
  /** Of texts, the words of each example. */
  readonly words: readonly (readonly Word[])[] | null;
}

/** LRP, integrated gradients, Shapley values and attention rollout, and how far models agree in them. */
export const explanation: Assessment = {
  name: "explanation",
  title: "Explanation",
  description:
    "what the answers come from (LRP, integrated gradients, Shapley values, attention rollout), and whether " +
    "models agree in it",
  usual: true,
  assess,
};

async function assess({ ops, subjects, teacher, settings, tell }: AssessCall): Promise<Assessed> {
  const first = teacher ?? subjects[0];
  const indices = someExamples(
    first.examples.length,
    Math.min(settings.most ?? MOST_EXAMPLES, MOST_EXAMPLES),
    settings.seed,
  );
  const numbers = Array.from((await decided(ops, first, { indices, batchSize: AT_ONCE })).decided);
  const targets = numbers.map((target) => first.input.classes[target]);
  const explained: ExplainedSubject[] = [];
  for (const subject of subjects) {
    explained.push(await explainSubject(ops, subject, { indices, targets, settings, tell }));
  }
  const against = explained.find(({ subject }) => subject === first)!;
  const results = explained.map((own) => ({
    subject: own.subject.name,
    methods: forEach((name) => resultOf(own, name, own === against ? null : against)),
  }));
  return {
    result: {
      examples: [...indices],
      decidedBy: first.name,
      ...SETTINGS,
      steps: stepsFor(first.input),
      subjects: results,
    },
    shown: await showExplanations({ explained, results, first, indices, targets: numbers }),
  };
}

const methodNames = Object.keys(METHODS) as MethodName[];

/** The numbers of a method for one model. */
export type MethodResult = { readonly refused: string } | {
  /** The largest difference between a sum and what it must be; `null` of a method without such a rule. */
  readonly error: number | null;
  /** The largest that a sum must be. */
  readonly largest: number | null;
  /** With the first model; `null`: it is that itself, or has not the same parts. */
  readonly agreement: ExplanationAgreement | null;
};

function resultOf(own: ExplainedSubject, name: MethodName, other: ExplainedSubject | null): MethodResult {
  const found = own.methods[name];
  if ("refused" in found) return found;
  const theirs = other?.methods[name];
  const { errors } = found;
  const largest = (of: (error: Explanation["errors"][number]) => number) =>
    errors.length === 0 ? null : Math.max(...errors.map(of));
  return {
    error: largest(({ sum, f }) => Math.abs(sum - f)),
    largest: largest(({ f }) => Math.abs(f)),
    agreement: !theirs || "refused" in theirs || !haveSameWords(own, other!)
      ? null
      : agreementOf(found.values, theirs.values),
  };
}

/** Whether two models see the same words, as with other tokenizers they may not. */
function haveSameWords({ words }: ExplainedSubject, { words: others }: ExplainedSubject): boolean {
  const textsOf = (all: ExplainedSubject["words"]) => JSON.stringify(all?.map((own) => own.map(({ text }) => text)));
  return textsOf(words) === textsOf(others);
}

interface Explained extends Pick<AssessCall, "settings" | "tell"> {
  readonly indices: Uint32Array;
  /** Of each example the class, by its name: each model numbers them in its own way. */
  readonly targets: readonly string[];
}

async function explainSubject(
  ops: Ops,
  subject: Subject,
  { indices, targets, settings: { batchSize, seed }, tell }: Explained,
): Promise<ExplainedSubject> {
  const { model, weights, input, examples, vocabulary, name } = subject;
  const numbers = targets.map((target) => input.classes.indexOf(target));
  if (numbers.includes(-1)) throw new Error(`Cannot find one of ${targets.join(", ")} among the classes of ${name}`);
  if (input.text && !vocabulary) {
    const refused = "Cannot explain answers by words as no tokenizer.json in the model's folder lists its tokens";
    return { subject, words: null, methods: forEach(() => ({ refused })) };
  }
  const refusals: Partial<Record<MethodName, string>> = {};
  const parts: Record<MethodName, Explanation[]> = { lrp: [], integratedGradients: [], shapley: [], rollout: [] };
  const words: (readonly Word[])[] = [];
  const progress = progressOf(tell, `explanations of ${name}`, indices.length * methodNames.length);
  let done = 0;
  for (const [at, some] of batchesOf(indices, AT_ONCE).entries()) {
    await examples.fetch?.(some);
    const batch = examples.batch(some);
    const own = input.text && wordsIn(batch.tokens, vocabulary!);
    words.push(...own ?? []);
    const call: ExplainCall = {
      ops,
      model,
      weights,
      input,
      batch,
      targets: numbers.slice(at * AT_ONCE, at * AT_ONCE + some.length),
      words: own,
      blank: vocabulary?.mask ?? vocabulary?.unknown ?? input.text?.padding ?? null,
      settings: { ...SETTINGS, steps: stepsFor(input), batchSize, seed },
    };
    for (const method of methodNames) {
      if (refusals[method] === undefined) {
        try {
          parts[method].push(finite(await METHODS[method].explain(call), name));
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          refusals[method] = error.message;
        }
      }
      progress(done += some.length);
    }
  }
  const methods = forEach((method) => {
    const refused = refusals[method];
    return refused === undefined ? joined(parts[method]) : { refused };
  });
  return { subject, methods, words: input.text && words };
}

/** An answer for each method. */
function forEach<Answer>(of: (method: MethodName) => Answer): Record<MethodName, Answer> {
  return Object.fromEntries(methodNames.map((name) => [name, of(name)])) as Record<MethodName, Answer>;
}

/** The same, of which no number is NaN or infinite. @throws UserError otherwise */
function finite(explanation: Explanation, name: string): Explanation {
  if (!explanation.errors.every(({ f }) => Number.isFinite(f))) throw notFinite(name);
  if (explanation.values.every((own) => own.every(Number.isFinite))) return explanation;
  throw new UserError("Cannot explain the model's answers so as numbers on the way are not finite");
}

function wordsIn(tokens: ExplainCall["batch"][string], vocabulary: Vocabulary): Word[][] {
  const [size, length] = tokens.shape;
  return Array.from(
    { length: size },
    (_, example) => wordsOf(Array.from(tokens.data.subarray(example * length, (example + 1) * length)), vocabulary),
  );
}

function joined(parts: readonly Explanation[]): Explanation {
  return {
    values: parts.flatMap(({ values }) => values),
    patches: parts[0].patches,
    errors: parts.flatMap(({ errors }) => errors),
  };
}
