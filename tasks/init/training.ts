import type { InputDescription } from "../../core/plugin/dataset.ts";
import { type Entry, line, type Plain } from "./entries.ts";
import type { ChosenStudent } from "./student.ts";

/** By what training is chosen. */
export interface TrainingFacts {
  readonly data: InputDescription;
  readonly student: ChosenStudent;
  readonly isTaught: boolean;
  readonly hasChains: boolean;
  /** Examples that are trained on, validation taken out. */
  readonly examples: number;
  /** The part of the largest class; `null` where there are none. */
  readonly largestClass: number | null;
}

/** From this width on an encoder is one of Hugging Face's, pre-trained on much text. */
const WIDE = 512;

/** The part of a class from which on accuracy says little. */
const LOPSIDED = 0.8;

/** How a student is trained: `train` of a recipe. */
export function trainingOf(facts: TrainingFacts): Entry {
  const isImage = facts.student.use === "resnet";
  const batchSize = batchOf(facts);
  const steps = Math.ceil(facts.examples / batchSize);
  const { largestClass } = facts;
  return {
    key: "train",
    entries: [
      line("epochs", ...epochsOf(facts, steps)),
      line("batchSize", batchSize, batchReason(facts, batchSize)),
      ...(isImage && facts.examples % batchSize === 1
        ? [line("dropLast", true, "one image alone would be left, of which batch norm has no deviation")]
        : []),
      optimiserOf(facts),
      ...scheduleOf(facts),
      ...(largestClass !== null && largestClass > LOPSIDED
        ? [line(
          "monitor",
          "validation.f1Macro",
          `${(100 * largestClass).toFixed(0)} % are of one class: accuracy would be as high for a guess`,
        )]
        : []),
      // A copy of the best weights of a wide one does not fit beside it.
      ...(isImage || isWide(facts.student)
        ? []
        : [line("restoreBest", true, "small sets are soon known by heart: the epoch that validation favours")]),
    ],
  };
}

/** Whether a student is as wide as a BERT-base, so that the cpu backend can just hold it. */
function isWide({ use, width }: ChosenStudent): boolean {
  return use === "bert" && width >= WIDE;
}

function batchOf({ student, examples, data }: TrainingFacts): number {
  if (student.use === "resnet") return examples >= 5000 ? 128 : examples >= 500 ? 64 : 16;
  if (isWide(student)) return 8;
  return data.task === "tagging" || examples < 500 ? 16 : 32;
}

function batchReason({ student, examples }: TrainingFacts, size: number): string {
  if (isWide(student)) {
    return "a model of this width fits the 4 GiB of the cpu backend so; 32 on a GPU";
  }
  const shown = examples.toLocaleString("en-US");
  return `${Math.ceil(examples / size).toLocaleString("en-US")} steps an epoch of ${shown} examples`;
}

/** Epochs, by the steps that the shipped recipes take. */
function epochsOf({ student, isTaught }: TrainingFacts, steps: number): [number, string] {
  const within = (wanted: number, least: number, most: number) =>
    Math.max(least, Math.min(most, Math.round(wanted / steps)));
  if (student.use === "resnet") {
    return isTaught
      ? [within(570, 10, 30), "about as many steps as the quickstart, 570, in 10 to 30 epochs"]
      : [within(1700, 10, 40), "about as many steps as the shipped teacher took, 1,700, in 10 to 40 epochs"];
  }
  if (student.starts) return [within(256, 3, 20), "about as many steps as in mail.yaml, 256, in 3 to 20 epochs"];
  if (student.use === "vit") return [within(5600, 5, 50), "about as many steps as in vit.yaml, 5,600"];
  return [
    within(1000, 5, 40),
    "a fresh encoder hardly learns in 64 steps (mail-ablation.yaml): about 1,000, in 5 to 40 epochs",
  ];
}

function optimiserOf(facts: TrainingFacts): Entry {
  const [rate, why] = facts.student.use === "resnet" ? imageRate(facts) : encoderRate(facts);
  const optimiser: Plain = facts.student.use === "resnet"
    ? { use: "sgd", learningRate: rate, momentum: 0.9, weightDecay: 0.0005 }
    : { use: "adamw", learningRate: rate, ...(facts.student.use === "vit" ? { weightDecay: 0.05 } : {}) };
  return line("optimiser", optimiser, why);
}

function imageRate({ isTaught, hasChains, student }: TrainingFacts): [number, string] {
  if (!isTaught) return [0.1, "that of the shipped teacher"];
  if (hasChains) {
    const file = student.starts ? "from a teacher's layers (initialise.yaml)" : "from fresh weights (ablation.yaml)";
    return [0.1, `validation chose 0.1 for OPDF ${file}`];
  }
  return [0.05, `validation chose 0.05 for KD ${student.starts ? "from a teacher's layers" : "of a fresh student"}`];
}

function encoderRate({ student, data }: TrainingFacts): [number, string] {
  if (student.use === "vit" && !student.starts) return [0.002, "that of vit.yaml, for a fresh one"];
  if (data.task === "tagging") {
    return student.starts ? [5e-4, "between those of mail.yaml and tags-teacher.yaml; not measured"] : [
      student.width <= 32 ? 0.003 : 0.002,
      "that of the shipped taggers",
    ];
  }
  if (student.width >= WIDE) return [3e-6, "the paper's for chains of a BERT-base; try 1.0e-6 to 2.0e-5"];
  if (student.width > 256) {
    return [3e-5, "usual for pre-trained encoders of this width; not measured here: try 1.0e-5 to 1.0e-4"];
  }
  if (student.starts) return [3e-4, "that of mail.yaml, for layers of a teacher"];
  return [5e-4, "mail-teacher.yaml has 3.0e-4, on more texts; try 3.0e-4 to 1.0e-3"];
}

function scheduleOf({ student, data }: TrainingFacts): Entry[] {
  if (student.use === "resnet") {
    return [line("schedule", student.starts ? { use: "cosine" } : { use: "cosine", warmupEpochs: 1 })];
  }
  const isFresh = !student.starts;
  return [
    line(
      "schedule",
      isFresh ? { use: data.image ? "cosine" : "linear", warmupEpochs: 1 } : { use: "linear" },
    ),
    line("clipGradientNorm", 1),
  ];
}
