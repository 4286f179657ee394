import { Random } from "../../data/random.ts";
import { readRemoteFile } from "../../data/remote_file.ts";
import { openUserFolder, readUserFile, readUserFolder } from "../../files.ts";
import { resolve } from "../../paths.ts";
import { sizeOf } from "../../tensor.ts";
import type {
  Augmentation,
  Batch,
  Dataset,
  DatasetDefinition,
  DatasetSetup,
  Examples,
  HostTensor,
  InputDescription,
} from "../dataset.ts";
import { hasClasses } from "../inputs.ts";
import { type Check, expect } from "./check.ts";
import { expectEqual } from "./numbers.ts";

const AUGMENTED: Augmentation = { flip: true, shift: 1, seed: 7, epoch: 2 };

/** The checks of every data set; its options are already checked. */
export function datasetChecks(
  definition: DatasetDefinition,
  options: unknown,
  base: string,
): Check[] {
  let loaded: Dataset | undefined;
  const load = () => definition.load(options, setupIn(base));
  const onSplits = (name: string, body: (examples: Examples, input: InputDescription) => Promise<void>): Check => ({
    name,
    run: async () => {
      expect(loaded !== undefined, "it cannot be loaded");
      for (const [split, examples] of Object.entries(loaded.splits)) {
        await inSplit(split, () => body(examples, loaded!.input));
      }
    },
  });
  return [
    {
      name: "loads its splits",
      decisive: true,
      run: async () => {
        loaded = await load();
        expectSplits(loaded);
        return Object.entries(loaded.splits).map(([name, { length }]) => `${name} ${length}`).join(", ");
      },
    },
    onSplits("batches have the shapes of the description", expectShapes),
    onSplits("labels are in range", expectLabels),
    onSplits("the same examples give the same batch", async (examples) => {
      for (const augmentation of [undefined, AUGMENTED]) {
        const chosen = some(examples);
        const [once, again] = [
          await batchOf(examples, chosen, augmentation),
          await batchOf(examples, chosen, augmentation),
        ];
        expectSame(once, again, "the second time");
      }
    }),
    onSplits("an example is the same wherever it stands", expectOrderIndependence),
    {
      name: "loads the same examples again",
      run: async () => {
        expect(loaded !== undefined, "it cannot be loaded");
        const again = await load();
        for (const [split, examples] of Object.entries(loaded.splits)) {
          const chosen = some(examples);
          await inSplit(split, async () => {
            expectSame(await batchOf(again.splits[split], chosen), await batchOf(examples, chosen), "loaded again");
          });
        }
      },
    },
  ];
}

/** Files as a recipe in this folder names them. */
function setupIn(base: string): DatasetSetup {
  return {
    readFile: (file, what) => typeof file === "string" ? readUserFile(resolve(base, file), what) : readRemoteFile(file),
    readFolder: (folder, what) => readUserFolder(resolve(base, folder), what),
    openFolder: (folder, what) => openUserFolder(resolve(base, folder), what),
    noteInput: () => Promise.resolve(),
    random: new Random(2),
  };
}

/** Up to five examples, the first and the last among them, not in order. */
function some({ length }: Examples): Uint32Array {
  const last = length - 1;
  return Uint32Array.from(new Set([last, 0, Math.floor(last / 2), Math.min(1, last), Math.floor(last / 3)]));
}

/** A batch, fetched before. */
async function batchOf(examples: Examples, indices: Uint32Array, augmentation?: Augmentation) {
  await examples.fetch?.(indices);
  return examples.batch(indices, augmentation);
}

async function inSplit(split: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    throw error instanceof Error ? new Error(`in ${split}: ${error.message}`) : error;
  }
}

function expectSplits({ input, splits }: Dataset): void {
  for (const name of ["train", "test"]) expect(Object.hasOwn(splits, name), `there is no split "${name}"`);
  expect(
    (input.image === null) !== (input.text === null),
    "input must describe either image or text, and null for the other",
  );
  const classes = input.classes.length;
  expect(
    !hasClasses(input.task) ? classes === 0 : classes >= (input.task === "multi-label" ? 1 : 2),
    `input names ${classes} classes for ${input.task}`,
  );
  for (const [name, { length, labels }] of Object.entries(splits)) {
    expect(Number.isInteger(length) && length > 0, `${name} has ${length} examples`);
    expect(!labels || labels.length === length, `${name} has ${labels?.length} labels for ${length} examples`);
  }
}

async function expectShapes(examples: Examples, { image, text, task, classes }: InputDescription): Promise<void> {
  for (const indices of [some(examples), Uint32Array.of(0)]) {
    const count = indices.length;
    const batch = await batchOf(examples, indices);
    for (const [name, { data, shape }] of Object.entries(batch)) {
      expect(data.length === sizeOf(shape), `${name} has ${data.length} numbers for the shape [${shape}]`);
      const place = data.findIndex((number) => !Number.isFinite(number));
      expect(place < 0, `${name}[${place}] is ${data[place]}`);
    }
    if (image) expectShape(batch, "image", [count, ...image.size]);
    const length = batch.tokens?.shape[1] ?? 0;
    if (text) {
      expect(length >= 1 && length <= text.maxLength, `tokens are ${length} long, above maxLength ${text.maxLength}`);
      for (const name of ["tokens", "types", "mask"]) expectShape(batch, name, [count, length]);
      const place = batch.tokens.data.findIndex((token) => !(token >= 0 && token < text.vocabulary));
      expect(place < 0, `tokens[${place}] is ${batch.tokens.data[place]} of a vocabulary of ${text.vocabulary}`);
    }
    const each = task === "tagging" ? [length] : task === "multi-label" ? [classes.length] : [];
    expectShape(batch, "label", [count, ...each]);
  }
}

function expectShape(batch: Batch<HostTensor>, name: string, shape: readonly number[]): void {
  const found = batch[name]?.shape;
  expect(found !== undefined, `the batch has no ${name}`);
  expect(found.join() === shape.join(), `${name} is [${found}], not [${shape}]`);
}

async function expectLabels(examples: Examples, { task, classes }: InputDescription): Promise<void> {
  const chosen = some(examples);
  const { data } = (await batchOf(examples, chosen)).label;
  if (!hasClasses(task)) return;
  if (task === "multi-label") {
    const wrong = data.findIndex((flag) => flag !== 0 && flag !== 1);
    expect(wrong < 0, `label[${wrong}] of a batch is ${data[wrong]}, and must be 0 or 1`);
    expect(examples.labels === null, "labels must be null, as an example is of several classes");
    return;
  }
  const least = task === "tagging" || examples.labelled ? -1 : 0;
  const inRange = (label: number) => Number.isInteger(label) && label >= least && label < classes.length;
  const wrong = data.findIndex((label) => !inRange(label));
  expect(wrong < 0, `label[${wrong}] of a batch is ${data[wrong]}, and there are ${classes.length} classes`);
  const { labels } = examples;
  if (!labels) return;
  const outside = labels.findIndex((label) => !inRange(label));
  expect(outside < 0, `labels[${outside}] is ${labels[outside]}, and there are ${classes.length} classes`);
  const other = chosen.findIndex((index, place) => labels[index] !== data[place]);
  expect(
    other < 0,
    `example ${chosen[other]} has the label ${data[other]} in a batch, and ${labels[chosen[other]]} in labels`,
  );
}

/** A batch of one is a row of any other batch; a text's padding may be longer there. */
async function expectOrderIndependence(examples: Examples): Promise<void> {
  const chosen = some(examples);
  for (const augmentation of [undefined, AUGMENTED]) {
    const together = await batchOf(examples, chosen, augmentation);
    for (const [row, index] of chosen.entries()) {
      const alone = await batchOf(examples, Uint32Array.of(index), augmentation);
      const rowOf = ({ data, shape }: HostTensor, length: number) => {
        const stride = sizeOf(shape.slice(1));
        return data.slice(row * stride, row * stride + length);
      };
      const rows = Object.entries(alone).map(([name, { data }]) => [name, rowOf(together[name], data.length)] as const);
      const expected = new Map(Object.entries(alone).map(([name, { data }]) => [name, data]));
      expectEqual(new Map(rows), expected, `for example ${index} among others`);
    }
  }
}

function expectSame(actual: Batch<HostTensor>, expected: Batch<HostTensor>, where: string): void {
  const numbers = (batch: Batch<HostTensor>) => new Map(Object.entries(batch).map(([name, { data }]) => [name, data]));
  expectEqual(numbers(actual), numbers(expected), where);
}
