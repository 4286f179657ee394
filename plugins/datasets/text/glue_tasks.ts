/** How one of GLUE's tasks is written in its files. */
export interface GlueTask {
  readonly task: "classification" | "regression";
  /** Columns of the text, and of the second text of a pair. */
  readonly text: string;
  readonly pair: string | null;
  readonly label: string;
  /** In the order of their numbers; empty for the regression. */
  readonly classes: readonly string[];
  /** Columns of files without a line of names. */
  readonly columns: readonly string[] | null;
  /** The file of the labelled development examples, and of a second set of them. */
  readonly development: string;
  readonly mismatched: string | null;
  /** Whether lines that lack cells are left out, as all readers of this task do: its own files have a few. */
  readonly hasShortLines?: boolean;
}

const pairTask = { task: "classification", columns: null, development: "dev.tsv", mismatched: null } as const;
const entailment = ["entailment", "not_entailment"];

/**
 * The nine tasks of GLUE (Wang et al. 2018, arXiv 1804.07461), as the files of its site are laid out. Labels of the
 * test sets are not public, so the development sets are what is tested on.
 */
export const GLUE_TASKS: Readonly<Record<string, GlueTask>> = {
  cola: {
    ...pairTask,
    text: "sentence",
    pair: null,
    label: "label",
    classes: ["0", "1"],
    columns: ["source", "label", "mark", "sentence"],
  },
  sst2: { ...pairTask, text: "sentence", pair: null, label: "label", classes: ["0", "1"] },
  mrpc: { ...pairTask, text: "#1 String", pair: "#2 String", label: "Quality", classes: ["0", "1"] },
  qqp: {
    ...pairTask,
    text: "question1",
    pair: "question2",
    label: "is_duplicate",
    classes: ["0", "1"],
    hasShortLines: true,
  },
  stsb: { ...pairTask, task: "regression", text: "sentence1", pair: "sentence2", label: "score", classes: [] },
  mnli: {
    ...pairTask,
    text: "sentence1",
    pair: "sentence2",
    label: "gold_label",
    classes: ["contradiction", "entailment", "neutral"],
    development: "dev_matched.tsv",
    mismatched: "dev_mismatched.tsv",
  },
  qnli: { ...pairTask, text: "question", pair: "sentence", label: "label", classes: entailment },
  rte: { ...pairTask, text: "sentence1", pair: "sentence2", label: "label", classes: entailment },
  wnli: { ...pairTask, text: "sentence1", pair: "sentence2", label: "label", classes: ["0", "1"] },
};
