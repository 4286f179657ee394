import { UserError } from "../errors.ts";
import { kindOfPath } from "../files.ts";
import { INDEX_FILE, WEIGHTS_FILE } from "../model_folder/missing_weights.ts";
import { readModelFolder } from "../model_folder/read_folder.ts";
import { readDescribedModel } from "../model_folder/read_architecture.ts";
import { readTemperature } from "../model_folder/temperature.ts";
import { readVocabulary, type Vocabulary } from "../model_folder/vocabulary.ts";
import { freeze, type FrozenWeights } from "../nn/frozen_weights.ts";
import { openExport } from "../onnx/open_export.ts";
import type { Ops } from "../ops/ops.ts";
import { join } from "../paths.ts";
import { areSameClasses } from "../plugin/class_names.ts";
import type { Examples, InputDescription } from "../plugin/dataset.ts";
import type { Model, ModelDefinition } from "../plugin/model.ts";
import { countTrained } from "../plugin/parameters.ts";

/** A model that is assessed, with the examples in the form that it takes; until it is disposed of. */
export interface Subject extends Disposable {
  /** As the user named it. */
  readonly name: string;
  /** The model folder, with `config.json`. */
  readonly folder: string;
  /** Name of the model's plug-in. */
  readonly architecture: string;
  readonly model: Model;
  /** On the device. */
  readonly weights: FrozenWeights;
  /** The same on the host, by name, in the shapes of `model.parameters`; empty where another library computes. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
  /** What it takes: size and normalisation of images, tokens; and the classes in the order of its logits. */
  readonly input: InputDescription;
  /** The test examples that are looked at, all with a label: the n-th is the same example for every subject. */
  readonly examples: Examples;
  /** The training examples with a label of its own run, or else of the recipe; `null`: see `otherData`. */
  readonly train: Examples | null;
  /** The validation examples with a label, likewise; `null` also without any. */
  readonly validation: Examples | null;
  /** Why it is not known which examples it was trained on: a sentence's part; `null` where there is no reason. */
  readonly otherData: string | null;
  /** By what its twin without chains is found; `null` of a model that is of no run. */
  readonly kin: Kin | null;
  /** Whether matrices of it were over-parameterised in training; `null` of a model that is of no run. */
  readonly overParameterised: boolean | null;
  /** Of a model of text, what its tokens are as text; `null` where that is not known. */
  readonly vocabulary: Vocabulary | null;
  /** Whether it computes on the device, so that there are gradients; not so for an ONNX export. */
  readonly differentiable: boolean;
  /** What its config.json says that logits are divided by before the softmax; 1 if it says nothing. */
  readonly temperature: number;
  /** Numbers that were trained. */
  readonly parameters: number;
}

/** By what the run of a model is compared with others. */
export interface Kin {
  /** Equal for runs that differ in nothing but chains, losses, and how fast they learn. */
  readonly key: string;
  /** Names of the loss plug-ins. */
  readonly losses: readonly string[];
}

/** Where a subject comes from. */
export interface SubjectSetup extends
  Pick<
    Subject,
    "name" | "folder" | "examples" | "train" | "validation" | "otherData" | "kin" | "overParameterised"
  > {
  /** What the examples are, as the model takes them. */
  readonly input: InputDescription;
  /** The model plug-ins that may be meant. */
  readonly definitions: readonly ModelDefinition[];
  /** Takes lines for the user. */
  readonly report: (line: string) => void;
}

/**
 * Opens a model folder, or an export to ONNX, to be assessed.
 *
 * @throws UserError if it cannot be read, or does not answer with one class of the data set's
 */
export async function openSubject(ops: Ops, setup: SubjectSetup): Promise<Subject> {
  const { definitions, report, ...given } = setup;
  const { name, folder, input, examples } = given;
  if (input.task !== "classification") {
    throw new UserError(
      `Cannot assess "${name}" as its task is ${input.task}: assess covers classification, one class for each example`,
    );
  }
  if (examples.length === 0) throw new UserError(`Cannot assess "${name}": no test example has a label`);
  const common = {
    ...given,
    temperature: await readTemperature(folder),
    vocabulary: input.text && await readVocabulary(folder, "assess"),
  };
  const described = await describedExport(folder, definitions);
  if (described) {
    const { architecture, exported } = described;
    if (!areSameClasses(described.input.classes, input.classes)) {
      exported[Symbol.dispose]();
      throw new UserError(
        `Cannot assess "${name}" on this data set: its classes are ${described.input.classes.join(", ")}, ` +
          `and the data set's ${input.classes.join(", ")}`,
      );
    }
    report(`${exported.path} computes in onnxruntime`);
    return {
      ...common,
      architecture,
      model: exported.model,
      weights: freeze(ops, exported.model, new Map()),
      numbers: new Map(),
      differentiable: false,
      parameters: described.parameters,
      [Symbol.dispose]: () => exported[Symbol.dispose](),
    };
  }
  const { model, architecture, weights: numbers } = await readModelFolder(folder, definitions, input, report);
  const weights = freeze(ops, model, numbers);
  return {
    ...common,
    architecture,
    model,
    weights,
    numbers,
    differentiable: model.hostOutputs === undefined,
    parameters: countTrained(model),
    [Symbol.dispose]: () => weights.dispose(),
  };
}

/** An export of this program, opened; `null` for a folder with weights. */
async function describedExport(folder: string, definitions: readonly ModelDefinition[]) {
  for (const file of [WEIGHTS_FILE, INDEX_FILE]) if (await kindOfPath(join(folder, file)) === "file") return null;
  const { model, architecture, input } = await readDescribedModel(folder, definitions);
  const exported = await openExport(folder, { model, input });
  return exported && { architecture, input, exported, parameters: countTrained(model) };
}
