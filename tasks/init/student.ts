import { UserError } from "../../core/errors.ts";
import type { InputDescription } from "../../core/plugin/dataset.ts";
import { type Entry, line } from "./entries.ts";
import type { FoundTeacher } from "./teacher.ts";

/** Kinds of students: half of the teacher's layers, or a small one of its own. */
export const STUDENTS = ["half", "small"] as const;
export type StudentKind = typeof STUDENTS[number];

/** A student as a recipe has it. */
export interface ChosenStudent {
  readonly entries: readonly Entry[];
  readonly use: string;
  /** Whether it starts from layers of its teacher. */
  readonly starts: boolean;
  /** Numbers in a hidden state, or channels of the first stage. */
  readonly width: number;
  /** The weights that may be chains, as a pattern. */
  readonly chainable: string;
  /** Whether a tagger has a CRF. */
  readonly crf: boolean;
}

/** A half of a teacher, if it has layers enough; `null` if there is no such model. */
export function halfOf(teacher: FoundTeacher, data: InputDescription): ChosenStudent | null {
  if (teacher.use === "resnet") return halfResnet(teacher);
  if (teacher.use === "bert" || teacher.use === "vit") return halfEncoder(teacher, data);
  return null;
}

const START = line(
  "initialise",
  { from: "teacher", layers: "mapped" },
  "worth more than any loss or chain: 84.5 % against 77.5 % fresh on Fashion-MNIST",
);

function halfResnet({ options }: FoundTeacher): ChosenStudent | null {
  const depth = Number(options.depth);
  const width = Number(options.width ?? 16);
  const blocks = (depth - 2) / 6;
  const half = depth === 34
    ? 18
    : Number.isInteger(blocks) && blocks >= 2 && depth !== 50
    ? 6 * (blocks >> 1) + 2
    : null;
  // 18 = 6 * 2.67 + 2 is no depth of three stages.
  if (half === null || depth === 18) return null;
  return {
    entries: [
      line("use", "resnet"),
      line("depth", half, `half of the teacher's ${depth} layers, or the next smaller such network`),
      line("width", width, "the teacher's, so that its layers fit"),
      START,
    ],
    use: "resnet",
    starts: true,
    width,
    chainable: "layer*.conv*.weight",
    crf: false,
  };
}

/** Options of an encoder that are the same in half of it. */
const KEPT = [
  "width",
  "heads",
  "ffn",
  "activation",
  "epsilon",
  "positions",
  "types",
  "embeddingWidth",
  "patch",
  "distillationHead",
] as const;

/** What the families have where nothing is said. */
const USUAL: Readonly<Record<string, Partial<Record<typeof KEPT[number], unknown>>>> = {
  bert: { activation: "gelu", epsilon: 1e-12, types: 2 },
  distilbert: { activation: "gelu", epsilon: 1e-12, types: 0 },
  roberta: { activation: "gelu", epsilon: 1e-5, types: 1 },
  electra: { activation: "gelu", epsilon: 1e-12, types: 2 },
  mpnet: { activation: "gelu", epsilon: 1e-12, types: 0 },
  vit: { activation: "gelu", epsilon: 1e-12 },
  deit: { activation: "gelu", epsilon: 1e-12 },
};

function halfEncoder({ use, options, described }: FoundTeacher, data: InputDescription): ChosenStudent | null {
  const layers = Number(options.layers);
  if (!(layers >= 2)) return null;
  const usual = USUAL[String(options.variant ?? use)] ?? {};
  const kept = KEPT.flatMap((key) => {
    const value = options[key] ?? null;
    return value === null || value === (key === "embeddingWidth" ? options.width : usual[key])
      ? []
      : [line(key, value as string | number | boolean)];
  });
  const rows = options.vocabulary as number | null | undefined;
  const crf = options.crf === true;
  return {
    entries: [
      line("use", use),
      ...(typeof options.variant === "string" && options.variant !== use ? [line("variant", options.variant)] : []),
      line("layers", layers >> 1, `half of the teacher's ${layers}`),
      ...kept,
      ...(data.text && typeof rows === "number" && rows !== data.text.vocabulary ? [line("vocabulary", rows)] : []),
      ...(crf ? [line("crf", true)] : []),
      { ...START, why: "worth more than any loss or chain: 95.0 % against 50.2 % fresh on mails, in as many steps" },
    ],
    use,
    starts: true,
    width: Number(options.width),
    chainable: described!.model.layerPrefixes![0].replace(/\d+\.$/, "*.weight"),
    crf,
  };
}

/**
 * A model of its own, as small as the shipped ones and smaller than its teacher: a student, or one that is trained
 * without a teacher.
 */
export function smallModel(
  data: InputDescription,
  teacher: FoundTeacher | null,
  maxLength: number | null,
): ChosenStudent {
  if (data.image) return smallResnet(data.image.size, teacher);
  if (!data.text) throw new UserError("Cannot choose a student: expected images or texts");
  const isTagger = data.task === "tagging";
  const usual = teacher
    ? { layers: isTagger ? 1 : 2, width: isTagger ? 32 : 96 }
    : { layers: isTagger ? 3 : 4, width: 96 };
  const { layers, width } = teacher ? below(teacher, usual) : usual;
  return {
    entries: [
      line("use", "bert"),
      line(
        "layers",
        layers,
        `as small as the shipped encoders of mails and tags${teacher ? ", or as its teacher" : ""}`,
      ),
      line("width", width),
      line("heads", width >= 64 ? 4 : 2),
      line("ffn", 2 * width),
      line("positions", maxLength ?? 128, "dataset.maxLength"),
      ...(isTagger
        ? [
          line("types", 0),
          line("crf", true, "it chooses the tags of a sentence together"),
          line("dropout", teacher ? 0.1 : 0.3),
        ]
        : []),
    ],
    use: "bert",
    starts: false,
    width,
    chainable: "bert.encoder.layer.*.weight",
    crf: isTagger,
  };
}

/** Sizes of an encoder below those of its teacher: half of its layers, or of its width where it has one layer. */
function below({ use, options }: FoundTeacher, usual: { readonly layers: number; readonly width: number }) {
  if (use !== "bert") return usual;
  const [layers, width] = [Number(options.layers), Number(options.width)];
  // A width that its heads divide.
  const even = (width: number) => Math.max(4, 4 * Math.floor(width / 4));
  return {
    layers: Math.min(usual.layers, Math.max(1, layers >> 1)),
    width: Math.min(usual.width, even(layers >= 2 ? width : width / 2)),
  };
}

function smallResnet([height, width]: readonly number[], teacher: FoundTeacher | null): ChosenStudent {
  const side = Math.min(height, width);
  const stem = side <= 48 ? "cifar" : side <= 96 ? "small" : "imagenet";
  const usual = side <= 32 ? 8 : 16;
  const theirs = teacher?.use === "resnet" ? Number(teacher.options.width ?? usual) : Infinity;
  const channels = Math.min(usual, Number(teacher?.options.depth) > 8 ? theirs : Math.max(1, Math.floor(theirs / 2)));
  return {
    entries: [
      line("use", "resnet"),
      line(
        "depth",
        teacher ? 8 : 20,
        teacher
          ? "as in the shipped recipes of images; 14, 20, 32 are larger"
          : "as the shipped teacher; 8 and 14 are smaller, 32 and 44 larger",
      ),
      line("width", channels, "channels of the first of three stages"),
      ...(stem === "cifar"
        ? []
        : [line("stem", stem, `for images of ${height} x ${width}: it makes them smaller first`)]),
    ],
    use: "resnet",
    starts: false,
    width: channels,
    chainable: "layer*.conv*.weight",
    crf: false,
  };
}
