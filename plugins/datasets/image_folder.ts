import { UserError } from "../../core/errors.ts";
import { defineDataset, type OpenFolder } from "../../core/plugin/dataset.ts";
import { seedSchema } from "../../core/recipe/bounds.ts";
import { listSome } from "../../core/recipe/words.ts";
import { visiblePath } from "../../core/visible.ts";
import { OTHERS, SYSTEMS } from "./pictures/beside_pictures.ts";
import { HashedPictures } from "./pictures/hashed_pictures.ts";
import { pictureDataset, type PictureExample, type PictureSplits } from "./pictures/picture_dataset.ts";
import { disagreement, type PictureOptions, pictureOptions } from "./pictures/picture_options.ts";
import { BadExamples } from "./text/bad_examples.ts";
import { splitGroups } from "./text/split_groups.ts";

interface ImageFolderOptions extends PictureOptions {
  folder: string;
  trainFolder: string;
  testFolder: string;
  testPart: number | null;
  unlabelled: string | null;
  labels: boolean;
  seed: number;
}

/** Pictures in folders that are named by their classes, as torchvision's ImageFolder and Hugging Face have them. */
export const imageFolder = defineDataset<ImageFolderOptions>({
  name: "image-folder",
  description: "Pictures (PNG, JPEG, WebP, GIF, BMP) in folders by class",
  source:
    "torchvision's ImageFolder, https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder",
  options: (kit) => {
    const { z } = kit;
    return z.strictObject({
      folder: z.string().min(1).describe(
        "Folder that holds train/ and test/, and in each a folder of pictures for each class",
      ),
      trainFolder: z.string().min(1).default("train").describe("Name of the folder of the training pictures"),
      testFolder: z.string().min(1).default("test").describe(
        "Name of the folder of the test pictures; further ones, such as val, are splits for validation.from",
      ),
      testPart: z.number().positive().lt(1).nullable().default(null).describe(
        "Where folder holds the classes themselves: the part of each class's pictures that is the test set",
      ),
      unlabelled: z.string().min(1).nullable().default(null).describe(
        "Name of a folder in folder with further training pictures, which have no label; null: none",
      ),
      labels: z.boolean().default(true).describe(
        "Whether folders are classes; false: no picture has a label, whatever folder it is in, and classes names the teacher's",
      ),
      seed: seedSchema.default(0).describe("Seed of the split by testPart, apart from the run's"),
      classes: z.array(z.string().min(1)).min(2).nullable().default(null).describe(
        "Names of the classes' folders in the order of their numbers; null: all of them, by the alphabet",
      ),
      ...pictureOptions(kit),
    }).superRefine((options, { addIssue }) => {
      const found = !options.labels && !options.classes
        ? {
          message:
            "Cannot tell the classes of pictures without labels: name them in classes, in the order of the teacher's logits",
        }
        : disagreement(options as PictureOptions);
      if (found !== null) addIssue({ code: "custom", ...found });
    });
  },
  async load(options, setup) {
    const { folder: name, trainFolder, testFolder, testPart } = options;
    const folder = await setup.openFolder(name, "the pictures");
    const found = findPictures(folder, name, options);
    if (options.labels) expectPictures(folder, found.splits, options);
    const classes = options.labels ? classesOf(found.splits, options) : options.classes!;
    expectDifferent(classes);
    const bad = new BadExamples(options.onBad);
    const placeOf = (path: string) => ({ file: name, place: `the picture "${visiblePath(path)}"` });
    const pictures = new HashedPictures();
    const examples: Record<string, PictureExample[]> = {};
    for (const [split, own] of found.splits) {
      const labelled = own.flatMap(({ path, group }, record) => {
        const label = options.labels ? classes.indexOf(group) : -1;
        return label < 0 && options.labels ? [] : [{ path, label, where: placeOf(path), record }];
      });
      examples[split] = await pictures.add(folder, labelled, bad);
    }
    const further = found.unlabelled.map((path, record) => ({ path, label: -1, where: placeOf(path), record }));
    const unlabelled = await pictures.add(folder, further, bad);
    const splits: PictureSplits = testPart === null
      ? renamed(examples, { [trainFolder]: "train", [testFolder]: "test" })
      : {
        ...splitGroups(examples[""], ({ path }) => pictures.hashOf(path), ({ label }) => Math.max(0, label as number), {
          ...options,
          test: testPart,
          takeEach: null,
        }),
      };
    return await pictureDataset({
      ...{ folder, name, pictures, classes, options, setup, bad },
      splits: { ...splits, train: [...splits.train, ...unlabelled], test: splits.test },
      warnings: found.warnings,
    });
  },
});

function renamed(examples: Record<string, PictureExample[]>, names: Readonly<Record<string, string>>) {
  const splits: Record<string, PictureExample[]> = {};
  for (const [split, own] of Object.entries(examples)) {
    const name = names[split] ?? split;
    const before = Object.keys(names).find((folder) => names[folder] === name);
    if (before !== undefined && before !== split) {
      throw new UserError(`Cannot use the folder "${split}" as "${before}" is the split of that name: rename it`);
    }
    splits[name] = own;
  }
  return splits;
}

/** A picture and the folder of its class. */
interface FoundPicture {
  readonly path: string;
  readonly group: string;
}

interface FoundPictures {
  /** By the name of the split's folder; under "" where there are none. */
  readonly splits: ReadonlyMap<string, readonly FoundPicture[]>;
  /** Paths of pictures without labels. */
  readonly unlabelled: readonly string[];
  readonly warnings: readonly string[];
}

function findPictures(folder: OpenFolder, name: string, options: ImageFolderOptions): FoundPictures {
  const { trainFolder, testFolder, testPart } = options;
  const splits = new Map<string, FoundPicture[]>();
  const [left, unlabelled]: [string[], string[]] = [[], []];
  const depth = testPart === null ? 1 : 0;
  for (const path of folder.paths) {
    if (SYSTEMS.test(path)) continue;
    const parts = path.split("/");
    if (parts[0] === options.unlabelled && parts.length > 1 && !OTHERS.test(path)) {
      unlabelled.push(path);
      continue;
    }
    if (parts.length < depth + (options.labels ? 2 : 1) || OTHERS.test(path)) {
      left.push(path);
      continue;
    }
    const split = depth === 1 ? parts[0] : "";
    const own = splits.get(split) ?? [];
    own.push({ path, group: options.labels ? parts[depth] : "" });
    splits.set(split, own);
  }
  const shown = visiblePath(name);
  if (splits.size === 0) {
    const there = left.length === 0
      ? "there are none"
      : `there are only files beside them, such as "${visiblePath(left[0])}"`;
    throw new UserError(
      `Cannot find ${options.labels ? "classes" : "pictures"} in "${shown}": expected ${
        !options.labels
          ? testPart === null ? `${trainFolder}/ and ${testFolder}/ with pictures` : "pictures"
          : testPart === null
          ? `${trainFolder}/ and ${testFolder}/ with a folder of pictures for each class`
          : "a folder of pictures for each class"
      }, and ${there}`,
    );
  }
  for (const wanted of testPart === null ? [trainFolder, testFolder] : []) {
    if (splits.has(wanted)) continue;
    const key = wanted === trainFolder ? "trainFolder" : "testFolder";
    throw new UserError(
      `Cannot find "${wanted}" with a folder for each class in "${shown}": there are ${
        listSome([...splits.keys()].map(visiblePath), "and")
      }; set ${key} to one of them, or, if these are the classes, testPart: 0.2 to hold out that part of each`,
    );
  }
  if (testPart !== null && options.labels) expectClassFolders([...splits.get("")!].map(({ group }) => group), options);
  const warnings = left.length === 0 ? [] : [
    `${left.length} ${left.length === 1 ? "file" : "files"} of "${shown}" ${
      left.length === 1 ? "is left out as it is no picture" : "are left out as they are no pictures"
    } of a class: ${listSome(left.slice(0, 3).map((path) => `"${visiblePath(path)}"`), "and")}${
      left.length > 3 ? ", ..." : ""
    }`,
  ];
  if (options.unlabelled !== null && unlabelled.length === 0) {
    throw new UserError(
      `Cannot find pictures in the folder "${options.unlabelled}" of "${shown}": expected those without labels`,
    );
  }
  return { splits, unlabelled, warnings };
}

/** What folders of splits beside that of the training pictures are called. */
const SPLITS = ["test", "val", "valid", "validation", "dev"];

/** @throws UserError if what is to be split is split already, unless the recipe says that these are classes */
function expectClassFolders(
  groups: readonly string[],
  { folder, trainFolder, testFolder, classes }: ImageFolderOptions,
) {
  const train = groups.find((name) => [trainFolder, "train"].includes(name));
  const other = groups.find((name) => [testFolder, ...SPLITS].includes(name));
  if (train === undefined || other === undefined || classes !== null) return;
  throw new UserError(
    `Cannot split "${visiblePath(folder)}" by testPart as it holds ${visiblePath(train)}/ and ${
      visiblePath(other)
    }/: ` +
      "leave out testPart, or, if these are classes, name them in classes",
  );
}

/** @throws UserError if the folder of a class that is to be learned holds no training picture */
function expectPictures(
  { folders }: OpenFolder,
  splits: FoundPictures["splits"],
  { folder, classes, trainFolder, testPart, unlabelled }: ImageFolderOptions,
): void {
  const there = new Set(splits.get(testPart === null ? trainFolder : "")!.map(({ group }) => group));
  for (const path of folders) {
    const parts = path.split("/");
    const group = parts.at(-1)!;
    if (SYSTEMS.test(path) || parts.length !== (testPart === null ? 2 : 1) || parts[0] === unlabelled) continue;
    if (testPart === null && !splits.has(parts[0]) || there.has(group) || classes?.includes(group) === false) continue;
    // One of another split with pictures is told as a class that is not trained on.
    if (splits.get(testPart === null ? parts[0] : "")!.some((picture) => picture.group === group)) continue;
    throw new UserError(
      `Cannot learn the class "${visiblePath(group)}" as its folder "${visiblePath(`${folder}/${path}`)}" holds no ` +
        "picture: put its pictures there, remove the folder, or name the other classes in classes",
    );
  }
}

/** @throws UserError for a name that stands twice */
function expectDifferent(classes: readonly string[]): void {
  const twice = classes.find((name, index) => classes.indexOf(name) < index);
  if (twice === undefined) return;
  throw new UserError(`Cannot use classes as it has "${twice}" twice: expected different names`);
}

/** @throws UserError if there are not two, or a split has one that the training pictures do not have */
function classesOf(
  splits: FoundPictures["splits"],
  { classes: given, folder, trainFolder, testPart }: ImageFolderOptions,
): readonly string[] {
  const train = splits.get(testPart === null ? trainFolder : "")!;
  const there = [...new Set(train.map(({ group }) => group))].sort();
  const where = `"${visiblePath(testPart === null ? `${folder}/${trainFolder}` : folder)}"`;
  const missing = given?.find((name) => !there.includes(name));
  if (missing !== undefined) {
    throw new UserError(
      `Cannot find the class "${missing}" in ${where}: there are ${listSome(there.map(visiblePath), "and")}`,
    );
  }
  const classes = given ?? there;
  if (classes.length < 2) {
    throw new UserError(`Cannot tell classes apart by ${where}: "${visiblePath(classes[0])}" is the only folder in it`);
  }
  if (classes.length > 2 ** 16) {
    throw new UserError(`Cannot tell ${classes.length} classes apart: at most 65536 can be`);
  }
  for (const [split, pictures] of splits) {
    const unknown = pictures.find(({ group }) => !there.includes(group));
    if (!unknown) continue;
    throw new UserError(
      `Cannot use the class "${visiblePath(unknown.group)}" of "${
        visiblePath(`${folder}/${split}`)
      }" as ${where} does not ` +
        `have it: there are ${listSome(there.map(visiblePath), "and")}`,
    );
  }
  return classes;
}
