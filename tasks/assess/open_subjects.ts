import { type Kin, openSubject, type Subject } from "../../core/assess/subject.ts";
import { classNumbers } from "../../core/assess/logits.ts";
import { type RunData, subset } from "../../core/distill/load_data.ts";
import { UserError } from "../../core/errors.ts";
import { readDescribedModel } from "../../core/model_folder/read_architecture.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Examples } from "../../core/plugin/dataset.ts";
import type { ModelDefinition } from "../../core/plugin/model.ts";
import type { Builtins } from "../../core/plugin/registry.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import type { Recipe } from "../../core/recipe/schema.ts";
import { firstIndices } from "../../core/data/loader.ts";
import { withModelData } from "../support/saved_model.ts";

/** A model as the user named it, and its folder. */
export interface NamedFolder {
  readonly name: string;
  readonly folder: string;
  /** Whether the run that it is of has over-parameterised matrices; `null` of a model that is of no run. */
  readonly overParameterised: boolean | null;
  /** By what its twin is found; `null` of a model that is of no run. */
  readonly kin: Kin | null;
  /** By what its data are loaded: that of all, or that divided into training and validation examples as its run's. */
  readonly recipe: Checked<Recipe>;
  /** Why it is not known what it was trained on; `null` where there is no reason. */
  readonly otherData: string | null;
  /** What of the division is its own; `null`: nothing. */
  readonly differs: string | null;
  /** Nobody has named it: the others are assessed without it where it cannot stand beside them. */
  readonly isUnasked?: boolean;
}

/** How models are opened. */
export interface OpenCall {
  readonly ops: Ops;
  readonly builtins: Builtins;
  readonly tell: (line: string) => void;
}

/** Opens models side by side on the recipe's test examples, and closes them when `body` has ended, however it does. */
export async function withSubjects<Result>(
  folders: readonly NamedFolder[],
  call: OpenCall,
  body: (subjects: readonly Subject[], dataSha256: RunData["sha256"]) => Promise<Result>,
): Promise<Result> {
  const open = async (
    [next, ...rest]: readonly NamedFolder[],
    opened: readonly Subject[],
    dataSha256: RunData["sha256"],
  ): Promise<Result> => {
    if (!next) return await body(opened, dataSha256);
    const { ops, builtins, tell } = call;
    const report = (line: string) => tell(`${next.name}: ${line}`);
    const { name, folder, overParameterised, kin, otherData } = next;
    if (next.differs) report(`its training and validation examples are its own run's, whose ${next.differs} differs`);
    return await withModelData(folder, next.recipe, builtins, report, async ({ data, definitions }) => {
      const reason = next.isUnasked ? await reasonAgainst(folder, definitions) : null;
      if (reason !== null) {
        report(`the recipe's teacher does not stand beside the others: ${reason}`);
        return await open(rest, opened, dataSha256);
      }
      using subject = await openSubject(ops, {
        ...{ name, folder, overParameterised, kin, otherData },
        input: data.dataset.input,
        examples: labelledOnes(data.test),
        train: otherData === null ? labelledOnes(data.train) : null,
        validation: otherData === null ? data.validation && nonEmpty(labelledOnes(data.validation)) : null,
        definitions,
        report,
      });
      const [first] = opened;
      if (first && first.examples.length !== subject.examples.length) {
        throw new UserError(
          `Cannot assess "${next.name}" beside "${first.name}": it has ${subject.examples.length} test examples, and ` +
            `the other ${first.examples.length}`,
        );
      }
      if (first && !areSameLabels(first, subject)) {
        throw new UserError(
          `Cannot assess "${next.name}" beside "${first.name}": the data set gives it other test examples, by another ` +
            "seed",
        );
      }
      return await open(rest, [...opened, subject], data.sha256);
    });
  };
  return await open(folders, [], {});
}

/** Why a folder is none of a model that can be opened by itself, such as one of other programs; `null` if it is one. */
async function reasonAgainst(folder: string, definitions: readonly ModelDefinition[]): Promise<string | null> {
  try {
    await readDescribedModel(folder, definitions);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** Whether the n-th examples have the same class, whatever number each model has for it. */
function areSameLabels(a: Subject, b: Subject): boolean {
  const [own, others] = [a.examples.labels, b.examples.labels];
  if (!own || !others) return true;
  const numbers = classNumbers(a, b);
  return own.every((label, at) => numbers[label] === others[at]);
}

/** The examples that have a label. */
function labelledOnes(examples: Examples): Examples {
  const { labelled } = examples;
  if (!labelled?.includes(0)) return examples;
  return subset(examples, firstIndices(examples.length).filter((index) => labelled[index] === 1));
}

const nonEmpty = (examples: Examples) => examples.length === 0 ? null : examples;
