import { nameOfFile, readRemoteFile, type RemoteFile } from "../../data/remote_file.ts";
import { UserError } from "../../errors.ts";
import { readUserFile } from "../../files.ts";
import { freeze } from "../../nn/frozen_weights.ts";
import type { Ops } from "../../ops/ops.ts";
import type { Examples } from "../../plugin/dataset.ts";
import type { Model, ModelOutputs, RecordedOutputs } from "../../plugin/model.ts";
import type { Checked } from "../../recipe/checked.ts";
import { resolveFile } from "../../recipe/recipe.ts";
import type { Recipe } from "../../recipe/schema.ts";
import { parseSafetensors, toFloat32 } from "../../safetensors.ts";
import { sha256 } from "../../sha256.ts";
import type { RunData } from "../load_data.ts";
import { mapBatches } from "../map_examples.ts";
import type { Resolved, ResolvedPlugins } from "../resolve_plugins.ts";
import { joinOutputs } from "./join_outputs.ts";
import type { LoadedTeacher } from "./load_teacher.ts";
import { matchClasses } from "./match_classes.ts";
import { cachedName } from "./teacher_outputs.ts";

/** The name in every batch of what the teacher said. */
const LOGITS = cachedName("logits");

/** A teacher that is a file of outputs, and the data whose batches bring them along. */
export interface RecordedTeacher {
  readonly data: RunData;
  readonly teacher: LoadedTeacher;
}

/**
 * The teacher of a recipe that is no model but a record of what one said.
 *
 * @param data the recipe's, its classes in the order that `teacher.classes` says, if it does
 * @returns `null` if the teacher is a model, or there is none
 * @throws UserError with line and column if an output is wrong, or cannot be joined to its example
 */
export async function readRecordedTeacher(
  ops: Ops,
  recipe: Checked<Recipe>,
  { dataset, teacher: plugin, otherTeachers }: ResolvedPlugins,
  data: RunData,
): Promise<RecordedTeacher | null> {
  const several = otherTeachers.findIndex(({ definition }) => definition.record);
  if (several >= 0) {
    throw recipe.error(["teacher", "others", several], "Cannot use a file of outputs as one of several teachers");
  }
  if (!plugin?.definition.record) return null;
  expectPlain(recipe, data);
  const { input } = data.dataset;
  const hashes: Record<string, string> = {};
  const readFile = async (file: string | RemoteFile, what: string) => {
    const bytes = typeof file === "string"
      ? await readUserFile(resolveFile(recipe, file), what)
      : await readRemoteFile(file);
    hashes[nameOfFile(file)] = await sha256(bytes);
    return bytes;
  };
  return await recipe.within(["teacher"], async () => {
    const recorded = await plugin.definition.record!(plugin.options, input, {
      readFile,
      async readTensors(file, what) {
        const { tensors } = parseSafetensors(await readFile(file, what), `"${nameOfFile(file)}"`);
        return new Map(
          [...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, numbers: () => toFloat32(tensor) }]),
        );
      },
    });
    expectNamed(recipe, dataset, data, Object.values(recorded));
    const of = (split: string): RecordedOutputs | null => Object.hasOwn(recorded, split) ? recorded[split] : null;
    const train = of("train");
    if (!train) {
      throw new UserError(
        "Cannot learn from a file of outputs that has none of the training examples: name one for train",
      );
    }
    const known = new Set<Examples>();
    const withOutputs = (examples: Examples, outputs: RecordedOutputs | null, name: string): Examples => {
      if (!outputs) return examples;
      const joined = bringing(examples, outputs, joinOutputs(examples, outputs, name));
      known.add(joined);
      return joined;
    };
    const from = recipe.value.validation?.from ?? "train";
    const joined = {
      ...data,
      sha256: { ...data.sha256, ...hashes },
      train: withOutputs(data.train, train, "training"),
      validation: data.validation && withOutputs(data.validation, of(from), "validation"),
      test: withOutputs(data.test, of("test"), "test"),
    };
    const numbers = await Promise.all(
      Object.values(recorded).map(({ logits }) => sha256(new Uint8Array(logits.slice().buffer))),
    );
    const first = { model: modelOf(train), numbers: new Map() };
    const weights = freeze(ops, first.model, first.numbers);
    const teacher: LoadedTeacher = {
      ...first,
      first,
      weights,
      sha256: await sha256(new TextEncoder().encode(numbers.join())),
      cached: { logits: "logits" },
      knows: (examples) => known.has(examples),
      dispose: () => weights.dispose(),
    };
    return { data: joined, teacher };
  });
}

/** Refuses what a recipe says of a teacher that runs. */
function expectPlain(recipe: Checked<Recipe>, { dataset: { input } }: RunData): void {
  const { augment, teacher } = recipe.value;
  const { others, cache, keep, tokenizer, normalise, imageSize } = teacher!;
  const refuse = (path: readonly string[], reason: string) =>
    recipe.error(path, `Cannot use ${path.at(-1)} with a teacher that is a file of outputs: ${reason}`);
  if (Object.values(augment).some(Boolean)) {
    throw refuse(["augment"], "it says what the teacher gave for the images as they are, not for changed ones");
  }
  if (others.length > 0) throw refuse(["teacher", "others"], "it teaches alone");
  if (keep !== null) throw refuse(["teacher", "keep"], "its outputs are in a file already");
  if (cache !== null) throw refuse(["teacher", "cache"], "its outputs are in a file already");
  for (const [key, value] of Object.entries({ tokenizer, normalise, imageSize })) {
    if (value !== null) throw refuse(["teacher", key], "it takes no inputs");
  }
  if (input.task === "embedding") {
    throw recipe.error(["teacher"], "Cannot learn vectors of sentences from a file of outputs: it has logits alone");
  }
  if (input.task === "tagging") {
    throw recipe.error(
      ["teacher"],
      "Cannot learn tags from a file of outputs: it has one record for each example, not for each token",
    );
  }
}

/** Refuses outputs in an order of classes that nobody states. */
function expectNamed(
  recipe: Checked<Recipe>,
  dataset: Resolved<"dataset">,
  { dataset: { input: { task, classes, numbered } } }: RunData,
  recorded: readonly RecordedOutputs[],
): void {
  const settings = recipe.value.teacher!;
  if (task === "regression" || settings.classes || recorded.every(({ named }) => named)) return;
  matchClasses({
    who: "teacher",
    own: [],
    given: classes,
    listed: Array.isArray(dataset.options?.classes),
    numbered,
    movable: false,
    remedies: {
      order: "the file's order in dataset.classes",
      names: "name them in the order of the file's numbers with dataset.classes or teacher.classes",
    },
    report: () => {},
  });
}

/** Examples whose batches bring the teacher's logits along. */
function bringing(examples: Examples, { logits, width }: RecordedOutputs, records: Uint32Array): Examples {
  return mapBatches(examples, (batch, indices) => {
    const data = new Float32Array(indices.length * width);
    indices.forEach((example, row) => {
      const from = records[example] * width;
      data.set(logits.subarray(from, from + width), row * width);
    });
    return { ...batch, [LOGITS]: { data, shape: [indices.length, width] } };
  });
}

/** A model that gives what stands in the batch. */
function modelOf({ width, decisions = false }: RecordedOutputs): Model {
  return {
    parameters: [],
    gives: ["logits"],
    decisions,
    config: { width },
    fromForeign: () => null,
    forward: ({ batch }) => {
      const logits = batch[LOGITS];
      if (!logits) throw new Error("Cannot give a recorded teacher's outputs: they are not in the batch");
      return { logits } as unknown as ModelOutputs;
    },
  };
}
