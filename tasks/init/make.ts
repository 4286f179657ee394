import { dirname } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import { visiblePath } from "../../core/visible.ts";
import { nearest } from "../../core/nearest.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import type { Asking } from "./asking.ts";
import { nameOf } from "./class_folders.ts";
import { compose } from "./compose.ts";
import { lookOptions, MOST_LOOKED_AT, optionsByLook, optionsByTeacher, OTHERWISE } from "./dataset_options.ts";
import { type Entry, line, valueOf, writeEntries } from "./entries.ts";
import { fitClasses, listOf } from "./fit.ts";
import { type DataFlags, type FoundData, PICTURE_SETS } from "./found.ts";
import { groupByTeacher } from "./group_by_teacher.ts";
import { joinOf } from "./join.ts";
import { type Look, lookAtData, percentile } from "./look.ts";
import { recognise } from "./recognise.ts";
import { halfOf, type StudentKind, STUDENTS } from "./student.ts";
import { type FoundTeacher, lookAtTeacher, type TeacherFlags } from "./teacher.ts";

/** What `init` is told by flags. */
export interface InitFlags extends DataFlags, TeacherFlags {
  readonly data?: string;
  /** `false`: there is none. */
  readonly teacher?: string | false;
  readonly teacherClasses?: string;
  readonly student?: string;
  readonly flip?: boolean;
  readonly name?: string;
  readonly out: string;
  readonly force?: boolean;
}

/** A recipe for {@link InitFlags.out}, which is not written yet. */
export interface MadeRecipe {
  readonly file: string;
  readonly text: string;
  readonly verb: "distill" | "train";
  /** What its data set gives, but for the size of a vocabulary that is trained. */
  readonly input: InputDescription;
}

/**
 * Looks at data and teacher, and makes a recipe for them; whoever has tried it writes it.
 *
 * @param tell takes rows for the user: what it is about, and what there is to say
 * @throws UserError for what cannot be used, or cannot be told and nobody is there to be asked
 */
export async function makeRecipe(
  flags: InitFlags,
  asking: Asking,
  tell: (about: string, text: string) => void,
): Promise<MadeRecipe> {
  const kind = studentKind(flags.student);
  await refuseExisting(flags);
  const base = dirname(flags.out);
  const path = asking.say({
    question: "Where are the data? A file, or a folder:",
    cannot: "Cannot start without data",
    flag: "--data FILE_OR_FOLDER",
  }, flags.data ?? null);
  const first = await teacherOf(flags, asking);
  const given = flags.teacherClasses === undefined ? null : listOf(flags.teacherClasses);
  const found = groupByTeacher(await recognise(path, flags, asking, { base, isTaught: first !== null }), first);
  tell("reading", path);
  const before = optionsByTeacher(found, first, base, given);
  const { look, more } = await lookAt(
    found,
    [...before, ...lookOptions(found, first)],
    base,
    `--data ${path}`,
    asking,
  );
  for (const [about, text] of describe(path, found, look)) tell(about, text);
  const { input } = look;
  const teacher = first && byClasses(first, found, input);
  const fit = teacher && fitClasses(teacher, input, {
    given,
    isUnlabelled: found.isUnlabelled ?? false,
    isNumbered: input.numbered === true && input.classes.every((name, index) => name === String(index)),
    asking,
  });
  if (teacher) tell("teacher", describeTeacher(teacher, look));
  if (kind === "half" && !(teacher && halfOf(teacher, input))) {
    const why = teacher ? `of ${teacher.path}, ${teacher.what}, there is none that init knows` : "there is no teacher";
    throw new UserError(`--student half: Cannot take half of a teacher's layers, as ${why}: expected small`);
  }
  const entries = compose({
    name: flags.name ?? nameOf(path),
    base,
    found,
    dataset: [...before, ...more, ...optionsByLook(found, input, look.train, teacher)],
    look,
    teacher,
    fit,
    student: kind ?? askStudent(teacher, look, asking),
    flip: flags.flip ?? false,
  });
  const verb = teacher ? "distill" : "train";
  const head = [
    `${
      teacher ? "Distils a teacher into a small student" : "Trains a model"
    } on ${found.what}. Made by opdf init from ` +
    `what was found there: read the comments, and change what you know better.`,
  ];
  return { file: flags.out, text: writeEntries(head, entries), verb, input };
}

/** A teacher whose file has a column for each class, known by the data's: what else stands there does not count. */
function byClasses(teacher: FoundTeacher, found: FoundData, { classes }: InputDescription): FoundTeacher {
  const { ofClasses } = teacher.records ?? {};
  const isKnown = !found.isUnlabelled && classes.length > 0 && classes.every((name) => teacher.classes.includes(name));
  return ofClasses && isKnown ? ofClasses(classes, joinOf(found, teacher).id) : teacher;
}

function studentKind(given: string | undefined): StudentKind | null {
  if (given === undefined) return null;
  const known = STUDENTS.find((kind) => kind === given);
  if (known) return known;
  const near = nearest(given, STUDENTS);
  throw new UserError(
    `--student ${given}: Expected half (of the teacher) or small${near ? `: did you mean "${near}"?` : ""}`,
  );
}

async function refuseExisting({ out, force = false }: InitFlags): Promise<void> {
  const kind = await kindOfPath(out);
  if (kind === "folder") {
    throw new UserError(`--out ${out}: Cannot write a recipe there as it is a folder: name a file in it`);
  }
  if (kind === null || force) return;
  throw new UserError(
    `Cannot write "${visiblePath(out)}" as it is there already: --force replaces it, --out names another`,
  );
}

async function teacherOf(flags: InitFlags, asking: Asking): Promise<FoundTeacher | null> {
  const { teacher } = flags;
  if (teacher === false || teacher === undefined && !asking.present) return null;
  const path = asking.say({
    question: "Which folder or file is the teacher? (none: train a model without one)",
    cannot: "Cannot go on without knowing of a teacher",
    flag: "--teacher FOLDER or --no-teacher",
  }, teacher ?? "none");
  return path === "none" ? null : await lookAtTeacher(path, flags, asking);
}

function askStudent(teacher: FoundTeacher | null, look: Look, asking: Asking): StudentKind | null {
  if (!teacher || !asking.present || !halfOf(teacher, look.input)) return null;
  const half = "half of the teacher's layers, started from them";
  const chosen = asking.choose({
    question: "Which student?",
    cannot: "Cannot choose a student",
    flag: "--student half or small",
    choices: [half, "a small one of its own, from fresh weights"],
  });
  return chosen === half ? "half" : "small";
}

/** Pictures of several sizes have to be brought to one, and what is done about damaged ones has to be said. */
async function lookAt(found: FoundData, options: readonly Entry[], base: string, label: string, asking: Asking) {
  const load = async (more: readonly Entry[]) => ({
    look: await lookAtData(valueOf([line("use", found.use), ...found.options, ...options, ...more]), base, label),
    more,
  });
  if (!PICTURE_SETS.includes(found.use)) return await load([]);
  const isSaid = found.options.some(({ key }) => key === "onBad");
  const skip = isSaid ? [] : [line("onBad", "skip")];
  const { look, more } = await load(skip).catch(async (error) => {
    const isOpen = !options.some(({ key }) => key === "size" || key === "processor");
    if (!isOpen || !(error instanceof UserError)) throw error;
    return await load([
      line("size", OTHERWISE, "the pictures have several sizes; larger ones show more and take longer"),
      line("fit", "crop", "resized as a whole, and the middle cut out"),
      ...skip,
    ]);
  });
  const sized = more.filter(({ key }) => key !== "onBad");
  if (isSaid || look.skipped.length === 0) return { look, more: sized };
  expectLeftOut(label, look.skipped, asking);
  return { look, more: [...sized, line("onBad", "skip", "some are damaged or missing; refuse: stop at the first")] };
}

/** @throws UserError unless somebody is there and wants bad pictures to be left out */
function expectLeftOut(label: string, skipped: readonly string[], asking: Asking): void {
  const cannot = `${label}: Cannot use all pictures: ${skipped.join("; ")}`;
  const flag = "--on-bad skip";
  const [leave, stop] = ["leave them out", "stop"];
  const question = `Some pictures cannot be used (${skipped.join("; ")}). What is done about them?`;
  if (asking.present && asking.choose({ question, cannot, flag, choices: [leave, stop] }) === leave) return;
  throw new UserError(`${cannot}; ${flag} leaves them out`);
}

function* describe(
  path: string,
  { what, isUnlabelled }: FoundData,
  look: Look,
): Generator<[about: string, text: string]> {
  const { input: { task, classes, image }, train, test, labelledTest, counts, lengths, skipped } = look;
  const count = (number: number) => number.toLocaleString("en-US");
  const measured = isUnlabelled || labelledTest === test ? "" : `, ${count(labelledTest)} of these with a label`;
  yield ["data", `${path}: ${what}, ${count(train)} training and ${count(test)} test examples${measured}`];
  if (image) {
    yield ["images", `${image.size[0]} x ${image.size[1]}, ${image.size[2]} channel${image.size[2] > 1 ? "s" : ""}`];
  }
  if (task !== "regression") {
    const shown = classes.slice(0, MOST_SHOWN).map((name, index) =>
      counts && !isUnlabelled ? `${name} (${count(counts[index])})` : name
    );
    const more = classes.length > MOST_SHOWN ? ` and ${classes.length - MOST_SHOWN} more` : "";
    yield [task === "tagging" ? "tags" : "classes", `${classes.length}: ${shown.join(", ")}${more}`];
  }
  if (lengths) yield ["lengths", describeLengths(lengths)];
  for (const line of skipped) yield ["left out", line];
}

const MOST_SHOWN = 10;

/** How long texts are; tokens beyond those that are looked at were not counted. */
function describeLengths(lengths: Uint16Array): string {
  const [half, nearly] = [0.5, 0.95].map((part) => percentile(lengths, part));
  if (half >= MOST_LOOKED_AT) return `half of the texts have ${MOST_LOOKED_AT} tokens or more`;
  const rest = nearly < MOST_LOOKED_AT ? `95 % up to ${nearly}` : `5 % ${MOST_LOOKED_AT} or more`;
  return `half of the texts have up to ${half} tokens, ${rest}`;
}

function describeTeacher({ path, what, images, tokenizer, processor }: FoundTeacher, { input }: Look): string {
  const [height, width] = images?.size ?? [];
  const size = input.image && height && width && `${height} x ${width}`;
  const ours = input.image?.size.slice(0, 2).join(" x ");
  return [
    `${path}: ${what}`,
    ...(size
      ? [size === ours ? `images of ${size} as the data` : `images of ${size}, to which the data's ${ours} are resized`]
      : []),
    ...(tokenizer ? ["its own tokenizer"] : []),
    ...(processor ? ["a preprocessor_config.json"] : []),
  ].join(", ");
}
