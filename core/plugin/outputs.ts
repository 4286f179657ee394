import { nearest } from "../nearest.ts";
import { listWords } from "../recipe/words.ts";
import type { OutputShapes } from "./output_tree.ts";
import type { ModelOutputs } from "./model.ts";

type OutputKey = keyof ModelOutputs;

/** By the name of an output: whether every model gives it. */
const OUTPUTS: Readonly<Record<OutputKey, boolean>> = {
  logits: true,
  predictions: false,
  features: true,
  hidden: true,
  attention: true,
  scores: false,
  relations: false,
  pooled: true,
  transitions: false,
  subclassLogits: false,
  headLogits: false,
  topLogits: false,
};

/** Every output that a model may give. */
const known = Object.keys(OUTPUTS) as readonly OutputKey[];

/** The outputs of every model; lists and maps may be empty. */
export const requiredOutputs: readonly OutputKey[] = known.filter((key) => OUTPUTS[key]);

/**
 * A teacher's outputs of which only some may be read, as a run that has no other loss would hand them over.
 *
 * @param outputs all that there are; nothing if the run has no teacher
 * @param declared what the loss names in `teacherOutputs`
 * @returns the same tensors; reading any other throws a TypeError that says what to do
 */
export function declaredOnly(outputs: ModelOutputs | null, declared: readonly OutputKey[]): ModelOutputs {
  const kept = Object.fromEntries(Object.entries(outputs ?? {}).filter(([key]) => declared.includes(key as OutputKey)));
  return new Proxy(kept, {
    get(target, key) {
      const undeclared = known.find((output) => output === key && !declared.includes(output));
      if (!undeclared) return Reflect.get(target, key);
      throw new TypeError(
        `Cannot read the teacher's ${undeclared} as teacherOutputs does not name it: add "${undeclared}" there`,
      );
    },
  }) as unknown as ModelOutputs;
}

/**
 * What is wrong with a loss's `teacherOutputs`: a word that is none, or an output that the teacher does not give.
 *
 * @param teacher the teacher's shapes, `null` without one
 * @returns a part of a sentence, or `null`
 */
export function lackingOutput(declared: readonly string[], teacher: OutputShapes | null): string | null {
  const unknown = declared.find((key) => !Object.hasOwn(OUTPUTS, key));
  if (unknown !== undefined) {
    const near = nearest(unknown, known);
    const advice = near ? `did you mean "${near}"?` : `expected ${listWords(known, "or")}`;
    return `teacherOutputs names "${unknown}", ${advice}`;
  }
  // A loss may use those optional outputs that the teacher has.
  const lists = ["hidden", "attention"] as const;
  const empty = teacher && lists.find((key) => declared.includes(key) && teacher[key].length === 0);
  return empty ? `teacherOutputs names "${empty}", which this teacher does not give` : null;
}
