import type { Random } from "../data/random.ts";
import { nameOfFile, readRemoteFile } from "../data/remote_file.ts";
import { firstIndices } from "../data/loader.ts";
import { splitExamples } from "../data/split.ts";
import { openUserFolder, readUserFile, readUserFolder } from "../files.ts";
import type { Augmentation, Dataset, Examples, ScoredPairs } from "../plugin/dataset.ts";
import { examplesOf, inPairs, pairsAmong } from "../plugin/pairs.ts";
import { labelledOf } from "../plugin/labelled.ts";
import type { Checked } from "../recipe/checked.ts";
import { resolveFile } from "../recipe/recipe.ts";
import type { Recipe } from "../recipe/schema.ts";
import { listSome } from "../recipe/words.ts";
import { sha256 } from "../sha256.ts";
import { differentOnes, labelledOnes, othersThan } from "./chosen_examples.ts";
import { withLabelNoise } from "./label_noise.ts";
import type { Resolved } from "./resolve_plugins.ts";

/** The data of a run: validation examples are not among the training examples, and neither are the test examples. */
export interface RunData {
  /** The data set as it was loaded. */
  readonly dataset: Dataset;
  /** What is trained on. */
  readonly train: Examples;
  /** What training is watched by; `null` without one. */
  readonly validation: Examples | null;
  /** What the result is measured on. */
  readonly test: Examples;
  /** SHA-256 of each file that was read, by its name. */
  readonly sha256: Readonly<Record<string, string>>;
}

/** One hash over a folder's files and their names, which may say of what class they are. */
export async function sha256OfFolder(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<string> {
  const names = JSON.stringify([...files].map(([name, { length }]) => [name, length]));
  return await sha256(new Uint8Array(await new Blob([names, ...files.values()]).arrayBuffer()));
}

/** What a data set left out, a line for each file. */
export function describeSkipped({ skipped = [] }: Dataset): string[] {
  return skipped.map(({ file, count, first }) => {
    const more = count > first.length ? `; and ${count - first.length} more` : "";
    return `skipped ${count} example${count === 1 ? "" : "s"} of "${file}": ${first.join("; ")}${more}`;
  });
}

/** Which examples have no label, a line for each list of them where some have none. */
export function describeLabels({ dataset, train, validation, test }: RunData): string[] {
  const lists = { training: train, validation, test };
  return Object.entries(lists).flatMap(([name, examples]) => {
    if (!examples) return [];
    const [{ length }, labelled] = [examples, labelledOf(examples)];
    if (labelled === length) return [];
    if (dataset.input.task === "embedding") {
      const pairs = examples.pairs?.scores.length ?? 0;
      // Training texts are compared with a teacher's vectors, not with scores.
      return name === "training"
        ? []
        : [`scores: ${pairs === 0 ? "none" : `of ${pairs} pairs`} of the ${length} ${name} texts`];
    }
    return [`labels: ${labelled === 0 ? "none" : labelled} of the ${length} ${name} examples`];
  });
}

/**
 * Of validation examples that were drawn the classes that none of them has; `null` if that is none, or it is not known.
 * What a data set's own splits lack it says itself.
 */
export function describeValidation({ dataset: { input, splits }, train, validation }: RunData): string | null {
  if (input.task !== "classification" || !validation?.labels || !train.labels) return null;
  if (Object.values(splits).includes(validation)) return null;
  const [learned, watched] = [train, validation].map(({ labels }) => new Set(labels));
  const missing = input.classes.filter((_, label) => learned.has(label) && !watched.has(label));
  if (missing.length === 0 || labelledOf(validation) === 0) return null;
  const names = listSome(missing.map((name) => JSON.stringify(name)), "and");
  return `the validation examples that were drawn have none of ${names}: what training is watched by says nothing of that`;
}

/** Some of a list's examples as a list of their own. */
export function subset(examples: Examples, chosen: Uint32Array): Examples {
  const { labels, labelled, lengths, source, equal } = examples;
  const pairs = examples.pairs && pairsAmong(examples.pairs, chosen);
  const marks = pairs ? inPairs(pairs, chosen.length) : labelled && Uint8Array.from(chosen, (index) => labelled[index]);
  return {
    length: chosen.length,
    ...(lengths && { lengths: Uint16Array.from(chosen, (index) => lengths[index]) }),
    labels: labels && Int32Array.from(chosen, (index) => labels[index]),
    ...(marks && { labelled: marks }),
    ...(pairs && { pairs }),
    ...(equal && { equal: chosen.map((index) => equal[index]) }),
    ...(examples.fetch && {
      fetch: (indices: Uint32Array) => examples.fetch!(indices.map((index) => chosen[index])),
    }),
    ...(examples.ahead && {
      ahead: (indices: Uint32Array) => examples.ahead!(indices.map((index) => chosen[index])),
    }),
    ...(source && {
      source: {
        ...source,
        record: chosen.map((index) => source.record[index]),
        ids: source.ids && Array.from(chosen, (index) => source.ids![index]),
      },
    }),
    batch: (indices: Uint32Array, augmentation?: Augmentation) =>
      examples.batch(indices.map((index) => chosen[index]), augmentation),
  };
}

/**
 * Loads the recipe's data set, which the caller closes, and takes the validation examples out of it.
 *
 * @param tokenizer the folder of that for texts, where the recipe names none
 */
export async function loadData(
  recipe: Checked<Recipe>,
  { definition, options, path }: Resolved<"dataset">,
  random: Random,
  tokenizer: string | null = null,
): Promise<RunData> {
  const hashes: Record<string, string> = {};
  const dataset = await recipe.within(path, async () =>
    await definition.load(options, {
      readFile: async (file, what) => {
        const bytes = typeof file === "string"
          ? await readUserFile(resolveFile(recipe, file), what)
          : await readRemoteFile(file);
        hashes[nameOfFile(file)] = await sha256(bytes);
        return bytes;
      },
      readFolder: async (folder, what) => {
        const files = await readUserFolder(resolveFile(recipe, folder), what);
        hashes[folder] = await sha256OfFolder(files);
        return files;
      },
      openFolder: (folder, what) => openUserFolder(resolveFile(recipe, folder), what),
      noteInput: async (name, content) => {
        hashes[name] = await sha256(content);
      },
      random: random.split("dataset"),
      ...(tokenizer !== null && { tokenizer }),
    }));
  try {
    return divide(recipe, dataset, hashes, random);
  } catch (error) {
    // What was wrong before is told, whatever the closing comes to.
    await Promise.resolve().then(() => dataset.close?.()).catch(() => {});
    throw error;
  }
}

/**
 * Takes the recipe's validation examples out of a data set, and the training examples that `subset` leaves: the same
 * ones of each data set of as many examples and the same labels.
 *
 * @throws UserError with line and column if that cannot be
 */
export function divide(
  recipe: Checked<Recipe>,
  dataset: Dataset,
  hashes: RunData["sha256"],
  random: Random,
): RunData {
  const { train, test } = dataset.splits;
  const { validation } = recipe.value;
  if (!validation) return whole(recipe, { dataset, train, validation: null, test, sha256: hashes }, random);
  const source = dataset.splits[validation.from];
  if (!source) {
    const known = Object.keys(dataset.splits).join(", ");
    throw recipe.error(["validation", "from"], `Unknown split "${validation.from}": the data set has ${known}`);
  }
  if (source === test) {
    throw recipe.error(
      ["validation", "from"],
      `Cannot take validation examples from the test set: it must stay unseen`,
    );
  }
  if (source.pairs) {
    const validation = somePairs(recipe, source, source.pairs, random);
    return whole(recipe, { dataset, train, validation, test, sha256: hashes }, random);
  }
  // What is validated by labels needs some; examples without one are for training. Of copies among examples to train on
  // the first stands for all.
  const some = labelledOnes(source);
  const pool = source === train ? differentOnes(source, some) : some;
  const from = pool?.length ?? source.length;
  const all = some?.length ?? source.length;
  const size = validation.count ?? Math.round(validation.fraction! * from);
  const refuse = () =>
    recipe.error(
      ["validation"],
      `Cannot take ${size} validation examples from the ${
        from < all ? `${from} different ${from === 1 ? "one" : "ones"} among the ${all}` : from
      } of "${validation.from}"${some ? " that have a label" : ""}`,
    );
  if (size > from || size < 1) throw refuse();
  const labels = pool && source.labels ? Int32Array.from(pool, (index) => source.labels![index]) : source.labels;
  const places = size === from ? firstIndices(from) : splitExamples(from, {
    validation: size,
    seed: random.split("validation").uint32(),
    stratifyBy: validation.stratify ? labels : null,
  }).validation;
  const heldOut = pool ? places.map((place) => pool[place]) : places;
  // The whole of a split stays that, and says so itself what it lacks.
  const held = size === source.length ? source : subset(source, heldOut);
  if (source !== train) return whole(recipe, { dataset, train, validation: held, test, sha256: hashes }, random);
  const rest = othersThan(source, heldOut);
  if (rest.length === 0) throw refuse();
  return whole(recipe, { dataset, train: subset(source, rest), validation: held, test, sha256: hashes }, random);
}

/** Both texts of some of the pairs in a list, as a list of their own. */
function somePairs(recipe: Checked<Recipe>, source: Examples, pairs: ScoredPairs, random: Random): Examples {
  const validation = recipe.value.validation!;
  const { length } = pairs.scores;
  const size = validation.count ?? Math.round(validation.fraction! * length);
  if (size > length || size < 1) {
    throw recipe.error(
      ["validation"],
      `Cannot take ${size} validation pairs from the ${length} pairs with a score of "${validation.from}"`,
    );
  }
  if (size === length) return source;
  const seed = random.split("validation").uint32();
  const { validation: chosen } = splitExamples(length, { validation: size, seed, stratifyBy: null });
  return subset(source, examplesOf(pairs, chosen));
}

/** The training examples that `subset` asks for; another seed draws others. */
function drawSubset(recipe: Checked<Recipe>, train: Examples, random: Random): Examples {
  const { subset: wanted } = recipe.value;
  if (!wanted) return train;
  const size = Math.round(wanted.fraction * train.length);
  if (size < 1) {
    throw recipe.error(
      ["subset"],
      `Cannot take ${size} of ${train.length} training examples: a larger fraction is needed`,
    );
  }
  if (size === train.length) return train;
  const seed = random.split("subset").uint32();
  const { training } = splitExamples(train.length, {
    validation: train.length - size,
    seed,
    stratifyBy: train.labels ?? undefined,
  });
  return subset(train, training);
}

/** The data with the training examples that the recipe asks for. Refuses those that do not make one training batch. */
function whole(recipe: Checked<Recipe>, all: RunData, random: Random): RunData {
  const drawn = drawSubset(recipe, all.train, random);
  const data = { ...all, train: withLabelNoise(recipe, drawn, all.dataset.input, random) };
  const { augment: { shift }, train: { batchSize, accumulate, dropLast } } = recipe.value;
  const [height, width] = data.dataset.input.image?.size ?? [Infinity, Infinity];
  if (shift > Math.min(height, width)) {
    throw recipe.error(
      ["augment", "shift"],
      `Cannot shift images of ${height} x ${width} pixels by up to ${shift}: expected at most ${
        Math.min(height, width)
      }, which leaves nothing of them`,
    );
  }
  const wanted = batchSize * accumulate;
  if (dropLast && data.train.length < wanted) {
    const what = accumulate === 1 ? `batch of ${batchSize}` : `step of ${accumulate} batches of ${batchSize}`;
    throw recipe.error(
      ["train", "batchSize"],
      `Cannot make one whole ${what} from ${data.train.length} training examples: dropLast leaves none`,
    );
  }
  return data;
}
