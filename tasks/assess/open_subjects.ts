import { openSubject, type Subject } from "../../core/assess/subject.ts";
import { type RunData, subset } from "../../core/distill/load_data.ts";
import { UserError } from "../../core/errors.ts";
import type { Ops } from "../../core/ops/ops.ts";
import type { Examples } from "../../core/plugin/dataset.ts";
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
}

/** How models are opened. */
export interface OpenCall {
  readonly ops: Ops;
  readonly recipe: Checked<Recipe>;
  readonly builtins: Builtins;
  readonly tell: (line: string) => void;
}

/** Opens models side by side on the recipe's test examples, and closes them when `body` has ended, however it does. */
export async function withSubjects<Result>(
  folders: readonly NamedFolder[],
  call: OpenCall,
  body: (subjects: readonly Subject[], dataSha256: RunData["sha256"]) => Promise<Result>,
): Promise<Result> {
  const open = async (opened: readonly Subject[], dataSha256: RunData["sha256"]): Promise<Result> => {
    const next = folders[opened.length];
    if (!next) return await body(opened, dataSha256);
    const { ops, recipe, builtins, tell } = call;
    const report = (line: string) => tell(`${next.name}: ${line}`);
    return await withModelData(next.folder, recipe, builtins, report, async ({ data, definitions }) => {
      using subject = await openSubject(ops, {
        ...next,
        input: data.dataset.input,
        examples: labelledOnes(data.test),
        train: labelledOnes(data.train),
        validation: data.validation && nonEmpty(labelledOnes(data.validation)),
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
      return await open([...opened, subject], data.sha256);
    });
  };
  return await open([], {});
}

/** The examples that have a label. */
function labelledOnes(examples: Examples): Examples {
  const { labelled } = examples;
  if (!labelled?.includes(0)) return examples;
  return subset(examples, firstIndices(examples.length).filter((index) => labelled[index] === 1));
}

const nonEmpty = (examples: Examples) => examples.length === 0 ? null : examples;
