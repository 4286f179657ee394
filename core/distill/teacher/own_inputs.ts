import type { Random } from "../../data/random.ts";
import type { Batch, HostTensor, InputDescription } from "../../plugin/dataset.ts";
import type { Checked } from "../../recipe/checked.ts";
import type { Path } from "../../recipe/paths.ts";
import type { Recipe } from "../../recipe/schema.ts";
import type { RunData } from "../load_data.ts";
import { type BatchMap, type ExamplesOf, mapBatches, mapExamples } from "../map_examples.ts";
import { imageInputs } from "./image_inputs.ts";
import { textInputs } from "./text_inputs.ts";

/** What a teacher takes that is not what the student takes. */
export interface OwnInputs {
  /** The data's description for the teacher. */
  readonly input: InputDescription;
  /** How they are made, as far as no file's hash says it: with others it is another teacher. */
  readonly made: string;
  /** Which teacher, from 0: its inputs are beside the student's in each batch, under {@link ownName}. */
  readonly teacher: number;
}

/** A run's data, whose batches hold what each teacher takes, too. */
export interface TaughtData {
  readonly data: RunData;
  /** Of each teacher, `null` for one that takes what the student takes. */
  readonly own: readonly (OwnInputs | null)[];
}

/** Takes lines for the user. */
export interface Tell {
  readonly report: (line: string) => void;
  readonly warning: (line: string) => void;
}

/** What a teacher takes and, beside the student's part of a batch, how it is made. */
export interface MadeInputs {
  readonly input: InputDescription;
  readonly made: string;
  readonly batchOf: (same: ExamplesOf) => BatchMap;
}

/** The name in a batch of what a teacher takes. */
export function ownName(teacher: number, input: string): string {
  return `teacher ${teacher + 1} takes: ${input}`;
}

/** A batch without what teachers take. */
export function withoutOwnInputs(batch: Batch<HostTensor>): Batch<HostTensor> {
  return Object.fromEntries(Object.entries(batch).filter(([name]) => !/^teacher \d+ takes: /.test(name)));
}

/**
 * Adds to a run's batches what each of its teachers takes, where that is something else than the student's: texts by
 * its own tokenizer, images of its own size and normalisation, as the recipe or the files beside its weights say.
 *
 * @param random the run's
 * @throws UserError with line and column for files that are wrong, or a recipe that does not fit the data
 */
export async function withTeachersInputs(
  recipe: Checked<Recipe>,
  data: RunData,
  random: Random,
  tell: Tell,
): Promise<TaughtData> {
  const { teacher: main } = recipe.value;
  let taught: TaughtData = { data, own: [] };
  for (const [index, settings] of (main ? [main, ...main.others] : []).entries()) {
    const path: Path = index === 0 ? ["teacher"] : ["teacher", "others", index - 1];
    const { image } = data.dataset.input;
    const made = image
      ? await imageInputs(recipe, settings, path, { ...data.dataset.input, image }, tell)
      : await textInputs(recipe, settings, path, data, random, tell);
    taught = {
      data: made ? mapExamples(taught.data, joining(index, made)) : taught.data,
      own: [...taught.own, made && { input: made.input, made: made.made, teacher: index }],
    };
  }
  return taught;
}

function joining(index: number, { batchOf }: MadeInputs): Parameters<typeof mapExamples>[1] {
  return (examples, same) => {
    const own = batchOf(same);
    return mapBatches(examples, (batch, indices) => {
      const { label: _label, labelled: _labelled, ...inputs } = own(batch, indices);
      const named = Object.entries(inputs).map(([name, tensor]) => [ownName(index, name), tensor]);
      return { ...batch, ...Object.fromEntries(named) };
    });
  };
}

/** Whether what teachers give token by token is of the student's tokens. */
export function sameTokens(own: TaughtData["own"]): boolean {
  return own.every((inputs) => !inputs?.input.text);
}
