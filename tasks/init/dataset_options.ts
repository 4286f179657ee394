import { UserError } from "../../core/errors.ts";
import type { ImageInput } from "../../core/plugin/dataset.ts";
import { type Entry, line } from "./entries.ts";
import { type FoundData, nameFrom } from "./found.ts";
import type { FoundTeacher } from "./teacher.ts";

/** Data sets of texts. */
const TEXTS = ["text-table", "conll", "mail"];

/** Pieces of a vocabulary that is trained on few texts, and on many. */
const PIECES = { few: 2500, many: 8000 } as const;
const MANY_TEXTS = 20_000;

/**
 * Options of the data set that follow from the teacher, known before the data are loaded.
 *
 * @throws UserError for a teacher of texts without a tokenizer
 */
export function optionsByTeacher(found: FoundData, teacher: FoundTeacher | null, base: string): Entry[] {
  if (TEXTS.includes(found.use)) {
    if (!teacher || !teacher.described.input.text) return [];
    return [...(found.isUnlabelled ? answersOf(teacher) : []), ...tokenizerOf(teacher, base)];
  }
  if (found.use === "image-folder") return pictureForm(teacher, base);
  return [];
}

/** What is asked of texts without labels: what the teacher answers. */
function answersOf({ classes, described: { input } }: FoundTeacher): Entry[] {
  if (input.task === "regression") return [line("task", "regression", "the teacher answers a number")];
  return [line("classes", classes.length > 0 ? classes : input.classes, "the teacher's")];
}

function tokenizerOf(teacher: FoundTeacher, base: string): Entry[] {
  if (teacher.tokenizer) {
    return [
      line("tokenizer", nameFrom(base, teacher.folder), "the teacher's: student and teacher see the same tokens"),
    ];
  }
  throw new UserError(
    `--teacher ${teacher.folder}: Cannot read texts as it does: expected tokenizer.json, vocab.txt, or vocab.json and ` +
      "merges.txt in its folder",
  );
}

/** The size to which pictures are brought where nothing says it and theirs differ. */
export const OTHERWISE = 64;

function pictureForm(teacher: FoundTeacher | null, base: string): Entry[] {
  const image = teacher?.described.input.image;
  if (!teacher || !image) return [];
  const [height, width, channels] = image.size;
  if (channels !== 1 && channels !== 3) {
    throw new UserError(
      `--teacher ${teacher.folder}: Cannot give it pictures of ${channels} channels: they are grey, or red, green, blue`,
    );
  }
  const grey = channels === 1 ? [line("channels", 1, "grey, as the teacher takes them")] : [];
  if (teacher.processor) {
    return [
      line("processor", nameFrom(base, teacher.folder), "pictures as the teacher's preprocessor_config.json says"),
      ...grey,
    ];
  }
  return [
    line("size", height === width ? height : [height, width], "the teacher's"),
    ...grey,
    ...normalisation(image.normalise),
  ];
}

/** Options that follow from the teacher and the data as they are. */
export function optionsByLook(
  found: FoundData,
  { image }: { readonly image: ImageInput | null },
  train: number,
  teacher: FoundTeacher | null,
): Entry[] {
  if (TEXTS.includes(found.use) && !teacher) {
    const pieces = train >= MANY_TEXTS ? PIECES.many : PIECES.few;
    return [line("vocabularySize", pieces, "pieces of words, learned from the training texts; or tokenizer: a folder")];
  }
  if (!image || found.use === "image-folder" || !teacher) return [];
  const [, , channels] = image.size;
  const theirs = teacher.described.input.image!;
  if (theirs.size[2] !== channels) {
    throw new UserError(
      `--teacher ${teacher.folder}: Cannot give it images of ${channels} channels: it takes ${theirs.size[2]}`,
    );
  }
  if (teacher.processor) return normalisation(teacher.processor.normalise(channels));
  return teacher.described.saysNormalisation ? normalisation(theirs.normalise) : [];
}

function normalisation({ mean, std }: ImageInput["normalise"]): Entry[] {
  return [line("mean", mean, "how the teacher's pixels were normalised"), line("std", std)];
}

/** Tokens of a text that are counted: longer ones have as many for all that is chosen here. */
const MOST_LOOKED_AT = 512;

/** How data are looked at: texts longer than any model takes them, to tell what is cut; pictures without a trace. */
export function lookOptions(found: FoundData, teacher: FoundTeacher | null): Entry[] {
  if (found.use === "image-folder") return [line("cache", false)];
  if (!TEXTS.includes(found.use)) return [];
  return [...(teacher ? [] : [line("vocabularySize", PIECES.few)]), line("maxLength", MOST_LOOKED_AT)];
}
