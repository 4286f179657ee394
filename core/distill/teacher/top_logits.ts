import { UserError } from "../../errors.ts";
import type { InputDescription } from "../../plugin/dataset.ts";
import type { OutputTree } from "../../plugin/output_tree.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { KeptNumbers } from "./blocks.ts";
import type { BatchNumbers, Condensing, KeptOutput, Layout, NumbersKind } from "./collected_outputs.ts";

/** What is kept of a teacher's logits. */
export interface TopLogitsSetup {
  /** How many of each example: the largest. */
  readonly count: number;
  /** Of how many. */
  readonly classes: number;
  /** For which temperatures the rest is kept, in ascending order. */
  readonly temperatures: readonly number[];
}

/**
 * How many logits of each example `teacher.keep.topK` keeps; `null`: all, also where there are no more.
 *
 * @throws UserError with line and column for a recipe that does not keep them anywhere, or has none of the kind
 */
export function topLogitsOf(recipe: Checked<Recipe>, { task, classes }: InputDescription): number | null {
  const { teacher, train } = recipe.value;
  if (!teacher?.keep) return null;
  const refuse = (reason: string) =>
    recipe.error(["teacher", "keep"], `Cannot keep the largest of the teacher's logits ${reason}`);
  if (teacher.cache === null) throw refuse("as it is not said where: give teacher.cache a folder");
  if (task !== "classification" && task !== "tagging") {
    throw refuse(`for ${task}: what is kept of the others are probabilities of classes that sum to 1; leave out keep`);
  }
  if (train.theseus) {
    throw refuse("with train.theseus, where layers of the teacher compute in every step: leave out keep");
  }
  return teacher.keep.topK < classes.length ? teacher.keep.topK : null;
}

const CLASSES = "topLogits.classes", VALUES = "topLogits.values";
const nameOfRest = (temperature: number) => `topLogits.rest.${temperature}`;

/** The names of what is kept, where a loss looks for it. */
export function topLogitsTree({ temperatures }: TopLogitsSetup): OutputTree {
  const rest = Object.fromEntries(temperatures.map((temperature) => [`${temperature}`, nameOfRest(temperature)]));
  return { classes: CLASSES, values: VALUES, rest };
}

/** The numbers of what is kept, of all rows. */
export function keptOf(
  outputs: ReadonlyMap<string, KeptOutput>,
  temperature: number,
): { readonly values: KeptNumbers; readonly rest: KeptNumbers } {
  return { values: outputs.get(VALUES)!.data, rest: outputs.get(nameOfRest(temperature))!.data };
}

/** The bytes of a row's largest logits, and those of all. */
export function bytesOfRow({ count, classes, temperatures }: TopLogitsSetup): readonly [kept: number, all: number] {
  return [count * (4 + numbersFor(classes).BYTES_PER_ELEMENT) + 4 * temperatures.length, 4 * classes];
}

const numbersFor = (classes: number): NumbersKind & { readonly BYTES_PER_ELEMENT: number } =>
  classes <= 2 ** 16 ? Uint16Array : Uint32Array;

/**
 * Keeps of each row of `logits` the largest and, for each temperature T, the logarithm of the sum of exp(z_c / T) over
 * the other classes c; everything else as it is.
 */
export function condensing(setup: TopLogitsSetup): Condensing {
  const { count, classes, temperatures } = setup;
  return {
    layouts: (outputs) =>
      new Map([...outputs].flatMap(([name, layout]) => {
        if (name !== "logits") return [[name, { ...layout, Numbers: Float32Array }] as const];
        const lead = layout.extents.slice(0, -1);
        if (layout.extents.at(-1) !== classes) {
          throw new UserError(
            `Cannot keep the largest of ${layout.extents.at(-1)} logits of the teacher: expected ${classes}, one for ` +
              "each class",
          );
        }
        const of = (extents: Layout["extents"], Numbers: NumbersKind = Float32Array) => ({
          extents,
          shared: false,
          Numbers,
        });
        return [
          [CLASSES, of([...lead, count], numbersFor(classes))] as const,
          [VALUES, of([...lead, count])] as const,
          ...temperatures.map((temperature) => [nameOfRest(temperature), of(lead)] as const),
        ];
      })),
    numbers: (outputs) =>
      new Map(
        [...outputs].flatMap(([name, output]): [string, BatchNumbers][] =>
          name === "logits" ? largest(setup, output) : [[name, output]]
        ),
      ),
  };
}

/** @throws UserError for logits that are not finite numbers */
function largest(
  { count, classes, temperatures }: TopLogitsSetup,
  { shape, data }: BatchNumbers,
): [string, BatchNumbers][] {
  const lead = shape.slice(0, -1);
  const rows = data.length / classes;
  const chosen = new (numbersFor(classes))(rows * count);
  const values = new Float32Array(rows * count);
  const rests = temperatures.map(() => new Float32Array(rows));
  for (let row = 0; row < rows; row++) {
    const logits = data.subarray(row * classes, (row + 1) * classes);
    const sorted = logits.toSorted();
    // What is not a number stands last.
    if (!Number.isFinite(sorted[0]) || !Number.isFinite(sorted[classes - 1])) {
      throw new UserError("Cannot keep the largest of the teacher's logits as some of them are not finite numbers");
    }
    const [highest, least] = [sorted[classes - count - 1], sorted[classes - count]];
    // Of equal logits at the border the first classes are kept.
    let ties = count;
    for (let last = classes - 1; sorted[last] > least; last--) ties--;
    const sums = new Float64Array(temperatures.length);
    let place = row * count;
    for (let index = 0; index < classes; index++) {
      const logit = logits[index];
      if (logit > least || (logit === least && ties-- > 0)) {
        chosen[place] = index;
        values[place++] = logit;
      } else temperatures.forEach((temperature, which) => sums[which] += Math.exp((logit - highest) / temperature));
    }
    temperatures.forEach((t, which) => rests[which][row] = highest / t + Math.log(sums[which]));
  }
  return [
    [CLASSES, { shape: [...lead, count], data: chosen }],
    [VALUES, { shape: [...lead, count], data: values }],
    ...temperatures.map((temperature, which): [string, BatchNumbers] => [
      nameOfRest(temperature),
      { shape: lead, data: rests[which] },
    ]),
  ];
}
