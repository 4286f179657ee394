import type { Entry } from "./entries.ts";
import { line } from "./entries.ts";
import { chainsOf } from "./chains.ts";
import type { ClassFit } from "./fit.ts";
import { type FoundData, nameFrom } from "./found.ts";
import { joinOf } from "./join.ts";
import { type Look, percentile, shareLonger } from "./look.ts";
import { lossesOf } from "./losses.ts";
import { type ChosenStudent, halfOf, smallModel, type StudentKind } from "./student.ts";
import type { FoundTeacher } from "./teacher.ts";
import { trainingOf } from "./training.ts";

/** What a recipe is made of. */
export interface Parts {
  readonly name: string;
  /** The folder of the recipe. */
  readonly base: string;
  readonly found: FoundData;
  /** Options of the data set that the teacher decides. */
  readonly dataset: readonly Entry[];
  readonly look: Look;
  readonly teacher: FoundTeacher | null;
  readonly fit: ClassFit | null;
  /** `null`: half of the teacher, where there is such a model. */
  readonly student: StudentKind | null;
  readonly flip: boolean;
}

/** The whole recipe. */
export function compose(parts: Parts): Entry[] {
  const { name, base, found, look, teacher, fit, flip } = parts;
  const data = look.input;
  const maxLength = maxLengthOf(look, teacher);
  const student = studentOf(parts, maxLength?.tokens ?? null);
  const isTaught = teacher !== null;
  const chains = chainsOf(student, isTaught);
  const validation = look.train < 200 ? 0.2 : 0.1;
  const examples = look.train - Math.round(validation * (look.labelled || look.train));
  const sameWidth = teacher?.use === student.use && Number(teacher.options.width ?? 16) === student.width;
  const mirrors = flip || (found.mayMirror ?? false);
  return [
    line("name", name),
    line("seed", 0),
    {
      key: "dataset",
      entries: [
        line("use", found.use),
        ...found.options,
        ...parts.dataset,
        ...(fit?.dataset
          ? [line("classes", fit.dataset, "the teacher's names for labels 0, 1, ...: see that they are the data's")]
          : []),
        ...(maxLength ? [line("maxLength", maxLength.tokens, maxLength.why)] : []),
      ],
    },
    line("validation", { fraction: validation }, "kept out of training, to watch it by"),
    // A file says what the teacher gave for the images as they are.
    ...(data.image && !teacher?.records
      ? [line(
        "augment",
        { flip: mirrors, shift: Math.min(...data.image.size.slice(0, 2)) >= 32 ? 4 : 2 },
        mirrors
          ? "mirrored pictures are of the same class"
          : "flip: true unless mirrored pictures mean something else, as digits do",
      )]
      : []),
    ...(teacher
      ? [{
        key: "teacher",
        entries: [
          line("use", teacher.use),
          line(teacher.records ? "file" : "weights", nameFrom(base, teacher.path)),
          ...joinOf(found, teacher).teacher,
          ...teacher.settings,
          ...sizeOfImages(parts),
          ...(fit?.teacher ? [line("classes", fit.teacher, "in the order of its logits")] : []),
        ],
      }]
      : []),
    { key: "student", entries: [...student.entries, chains.entry] },
    lossesOf({
      data,
      student,
      isTaught,
      isUnlabelled: found.isUnlabelled ?? false,
      hasChains: chains.has,
      teacherCrf: teacher?.options.crf === true,
      sameWidth,
    }),
    trainingOf({ data, student, isTaught, hasChains: chains.has, examples, largestClass: largest(look) }),
  ];
}

/** The size of a teacher's images, which its file says to nobody else. */
function sizeOfImages({ teacher, look: { input: { image } } }: Parts): Entry[] {
  const [height, width] = teacher?.images?.size ?? [];
  if (!image || !height || !width || teacher!.use !== "onnx" && teacher!.use !== "tfjs") return [];
  const isSame = height === image.size[0] && width === image.size[1];
  return isSame ? [] : [line("imageSize", [height, width], "to which the teacher's images are resized")];
}

function studentOf({ teacher, student: kind, look }: Parts, maxLength: number | null): ChosenStudent {
  const half = teacher && kind !== "small" ? halfOf(teacher, look.input) : null;
  return half ?? smallModel(look.input, teacher, maxLength);
}

/** The part of the largest class, of the examples that have a label. */
function largest({ counts, labelled }: Look): number | null {
  return counts && labelled > 0 ? Math.max(...counts) / labelled : null;
}

/** Most tokens of an example that a fresh encoder, and any, is given unasked: attention grows with the square. */
const MOST = { fresh: 128, any: 256 } as const;

/** The length that nearly all texts have; `null` for images. */
function maxLengthOf({ lengths }: Look, teacher: FoundTeacher | null): { tokens: number; why: string } | null {
  if (lengths === null) return null;
  const positions = teacher?.texts?.maxLength ?? Infinity;
  const wanted = Math.max(16, 8 * Math.ceil(percentile(lengths, 0.95) / 8));
  const most = Math.min(positions, teacher ? MOST.any : MOST.fresh);
  const tokens = Math.min(wanted, most);
  const longer = shareLonger(lengths, tokens);
  const reason = tokens === wanted
    ? ""
    : most === positions
    ? ", the most of the teacher"
    : "; attention grows with its square";
  const part = longer < 0.01 ? "less than 1 %" : `${(100 * longer).toFixed(0)} %`;
  const why = longer === 0 ? "no text is longer" : `${part} of the texts are longer, and cut`;
  return { tokens, why: `${why}${reason}` };
}
