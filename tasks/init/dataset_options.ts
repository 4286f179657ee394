import { dirname } from "node:path";
import { UserError } from "../../core/errors.ts";
import type { ImageInput } from "../../core/plugin/dataset.ts";
import { type Entry, line } from "./entries.ts";
import { type FoundData, nameFrom, PICTURE_SETS } from "./found.ts";
import { joinOf } from "./join.ts";
import type { FoundTeacher } from "./teacher.ts";

/** Data sets of texts. */
const TEXTS = ["text-table", "conll", "mail"];

/** Pieces of a vocabulary that is trained on few texts, and on many. */
const PIECES = { few: 2500, many: 8000 } as const;
const MANY_TEXTS = 20_000;

/**
 * Options of the data set that follow from the teacher, known before the data are loaded.
 *
 * @param classes those that a flag names, in the order of the teacher's logits
 * @throws UserError for a teacher of texts without a tokenizer, one whose classes nothing says, or a file of outputs
 *   that cannot be joined
 */
export function optionsByTeacher(
  found: FoundData,
  teacher: FoundTeacher | null,
  base: string,
  classes: readonly string[] | null,
): Entry[] {
  if (!teacher) return [];
  const join = joinOf(found, teacher);
  const own = [
    ...(found.isUnlabelled ? answersOf(found, teacher, classes) : []),
    ...(join.id === null || found.use !== "text-table"
      ? []
      : [line("id", join.id, "by which the teacher's outputs are joined")]),
  ];
  // Whether a teacher of images can teach texts is said of both together.
  if (TEXTS.includes(found.use)) return teacher.texts ? [...own, ...tokenizerOf(teacher, base)] : own;
  return PICTURE_SETS.includes(found.use) ? [...own, ...pictureForm(teacher, base)] : own;
}

/** What is asked of examples without labels: what the teacher answers. @throws UserError if it is not known */
function answersOf({ use }: FoundData, teacher: FoundTeacher, given: readonly string[] | null): Entry[] {
  const { task, path, outputs } = teacher;
  if (task === "regression" && use === "text-table") {
    return [line("task", "regression", "the teacher answers a number")];
  }
  const several = task === "multi-label" ? [line("task", "multi-label", "as the teacher answers")] : [];
  if (given) return [...several, line("classes", given, "in the order of the teacher's logits")];
  const { classes } = teacher.classes.length > 0 ? teacher : teacher.described?.input ?? teacher;
  if (classes.length > 0) return [...several, line("classes", classes, "the teacher's")];
  if (outputs !== null) {
    const numbers = Array.from({ length: outputs }, (_, index) => `class ${index}`);
    return [...several, line("classes", numbers, "in the order of the teacher's logits, which nothing names")];
  }
  throw new UserError(
    `--teacher ${path}: Cannot tell its classes, which the data do not have: say them with --teacher-classes ` +
      "NAME,NAME,..., in the order of its logits",
  );
}

function tokenizerOf(teacher: FoundTeacher, base: string): Entry[] {
  if (teacher.tokenizer) {
    return [
      line("tokenizer", nameFrom(base, teacher.tokenizer), "the teacher's: student and teacher see the same tokens"),
    ];
  }
  throw new UserError(
    `--teacher ${teacher.path}: Cannot read texts as it does: expected tokenizer.json, vocab.txt, or vocab.json and ` +
      "merges.txt in its folder",
  );
}

/** The size to which pictures are brought where nothing says it and theirs differ. */
export const OTHERWISE = 64;

function pictureForm({ path, images, processor }: FoundTeacher, base: string): Entry[] {
  if (!images) return [];
  const [height, width, channels] = images.size;
  if (channels !== null && channels !== 1 && channels !== 3) {
    throw new UserError(
      `--teacher ${path}: Cannot give it pictures of ${channels} channels: they are grey, or red, green, blue`,
    );
  }
  const grey = channels === 1 ? [line("channels", 1, "grey, as the teacher takes them")] : [];
  if (processor) {
    const folder = dirname(processor.file);
    return [
      line("processor", nameFrom(base, folder), "pictures as the teacher's preprocessor_config.json says"),
      ...grey,
    ];
  }
  return [
    ...(height === null || width === null
      ? []
      : [line("size", height === width ? height : [height, width], "the teacher's")]),
    ...grey,
    ...normalisation(images.normalise!),
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
  if (!image || PICTURE_SETS.includes(found.use) || !teacher?.images) return [];
  const [, , channels] = image.size;
  const { size: [, , theirs], normalise, isSaid } = teacher.images;
  if (theirs !== null && theirs !== channels) {
    throw new UserError(`--teacher ${teacher.path}: Cannot give it images of ${channels} channels: it takes ${theirs}`);
  }
  if (teacher.processor) return normalisation(teacher.processor.normalise(channels));
  if (!isSaid) return [];
  return normalisation(theirs === null ? ofChannels(normalise!, channels) : normalise!);
}

/** A normalisation that is the same of all channels, for so many. */
function ofChannels({ mean, std }: ImageInput["normalise"], channels: number): ImageInput["normalise"] {
  return mean.length === channels
    ? { mean, std }
    : { mean: Array(channels).fill(mean[0]), std: Array(channels).fill(std[0]) };
}

function normalisation({ mean, std }: ImageInput["normalise"]): Entry[] {
  return [line("mean", mean, "how the teacher's pixels were normalised"), line("std", std)];
}

/** Tokens of a text that are counted: longer ones have as many for all that is chosen here. */
export const MOST_LOOKED_AT = 512;

/** How data are looked at: texts longer than any model takes them, to tell what is cut; pictures without a trace. */
export function lookOptions(found: FoundData, teacher: FoundTeacher | null): Entry[] {
  if (PICTURE_SETS.includes(found.use)) return [line("cache", false)];
  if (!TEXTS.includes(found.use)) return [];
  return [...(teacher ? [] : [line("vocabularySize", PIECES.few)]), line("maxLength", MOST_LOOKED_AT)];
}
