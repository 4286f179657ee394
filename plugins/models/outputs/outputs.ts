import { UserError } from "../../../core/errors.ts";
import { nameOfFile, type RemoteFile } from "../../../core/data/remote_file.ts";
import type { InputDescription } from "../../../core/plugin/dataset.ts";
import { defineModel, type RecordedOutputs, type RecordSetup } from "../../../core/plugin/model.ts";
import { bounded, temperatureSchema } from "../../../core/recipe/bounds.ts";
import { listWords } from "../../../core/recipe/words.ts";
import { parseTable, TABLE_FORMATS } from "../../datasets/text/columns.ts";
import { decodeText } from "../../datasets/text/decode_text.ts";
import { readOutputs } from "./read_outputs.ts";
import { toLogits } from "./to_logits.ts";

/** How a file of outputs is written. */
const FORMATS = [...TABLE_FORMATS, "safetensors"] as const;
type Format = typeof FORMATS[number];

type File = string | RemoteFile;

/** The options of the model `outputs`. */
export interface OutputsOptions {
  readonly file: File | Readonly<Record<string, File>>;
  readonly key: "row" | "id";
  readonly id: string;
  readonly values: "probabilities" | "logits" | "decisions";
  readonly column: string | null;
  readonly columns: readonly string[] | null;
  readonly independent: boolean;
  readonly temperature: number;
  readonly rest: "refuse" | "spread";
  readonly least: number;
  readonly format: Format | null;
}

/**
 * A teacher that is a file of what it said: probabilities, logits or the most probable classes of each example, as a
 * model behind an API gives them. It serves every loss that reads the teacher's logits alone. Probabilities p that were
 * made at a temperature T stand for the logits T log p, which are the model's but for a constant of each example; of
 * several labels, where each class has one of its own, for the logits T log(p / (1 - p)). Of decisions p are the shares
 * that were for each class.
 */
export const recordedOutputs = defineModel<OutputsOptions>({
  name: "outputs",
  description: "A file of a teacher's outputs (JSONL, CSV, TSV or safetensors), as teacher only",
  source: "Hinton, Vinyals and Dean 2015, arXiv 1503.02531 (soft targets)",
  options: ({ z, dataFile }) =>
    z.strictObject({
      file: z.union([dataFile(), z.record(z.string(), dataFile())]).describe(
        "The file of the training examples' outputs, or one for each split: { train: a.jsonl, test: b.jsonl }",
      ),
      key: z.enum(["row", "id"]).describe(
        "How outputs belong to examples: row, the n-th record of the file to the n-th of the data's file; id, by the column " +
          "id here and dataset.id there",
      ),
      id: z.string().min(1).default("id").describe("Column of the ids"),
      values: z.enum(["probabilities", "logits", "decisions"]).describe(
        "What the file gives for each class; decisions: the class that was answered, a list of answers to repeated questions, " +
          "or a map from class to how many there were",
      ),
      column: z.string().min(1).nullable().default(null).describe(
        "Column of a list of numbers, or of a map from class to number, or tensor of a safetensors file; null: as values is " +
          "called",
      ),
      columns: z.array(z.string().min(1)).min(1).nullable().default(null).describe(
        "Columns of the numbers, in the order of the data's classes; null: those that are called as the classes are",
      ),
      independent: z.boolean().default(false).describe(
        "Of several labels that each class has a probability of its own, as by a sigmoid, so that they need not sum to 1",
      ),
      temperature: temperatureSchema.default(1).describe("Temperature at which probabilities were made"),
      rest: z.enum(["refuse", "spread"]).default("refuse").describe(
        "What is done about classes without a probability, as where only the first few are given: refuse, or spread what is " +
          "left of 1 over them",
      ),
      least: bounded(z.number().min(1e-12).max(0.01), "it stands for a probability of 0").default(1e-6).describe(
        "What a smaller probability counts as, since 0 has no logarithm",
      ),
      format: z.enum(FORMATS).nullable().default(null).describe("How the file is written; null: by its name"),
    }),
  build() {
    throw new UserError(
      'Cannot train the model "outputs": it is a file of what a teacher said, so it can only be a teacher',
    );
  },
  async record(options, data, setup) {
    const { file } = options;
    const files = typeof file === "string" || isRemote(file) ? { train: file } : file;
    const recorded: Record<string, RecordedOutputs> = {};
    for (const [split, one] of Object.entries(files)) {
      recorded[split] = await readFile(one, split, options, data, setup);
    }
    return recorded;
  },
});

const isRemote = (file: Exclude<OutputsOptions["file"], string>): file is RemoteFile => typeof file.url === "string";

async function readFile(
  file: File,
  split: string,
  options: OutputsOptions,
  data: InputDescription,
  setup: RecordSetup,
): Promise<RecordedOutputs> {
  const name = nameOfFile(file);
  const format = options.format ?? FORMATS.find((known) => name.endsWith(`.${known}`));
  if (!format) throw new UserError(`Cannot tell how "${name}" is written: set format to ${listWords(FORMATS, "or")}`);
  const what = `the teacher's outputs of ${split}`;
  if (format === "safetensors") return await readTensor(file, what, options, data, setup);
  const text = decodeText(await setup.readFile(file, what), "utf-8", name);
  const rows = parseTable(text, name, { format, quotes: format === "csv", columns: null });
  if (rows.length === 0) throw new UserError(`Cannot use "${name}" as it has no outputs`);
  return readOutputs(rows, name, options, data);
}

async function readTensor(
  file: File,
  what: string,
  options: OutputsOptions,
  data: InputDescription,
  { readTensors }: RecordSetup,
): Promise<RecordedOutputs> {
  const name = nameOfFile(file);
  if (options.key === "id") {
    throw new UserError(`Cannot join the outputs in "${name}" by id: a safetensors file has no ids; use key: row`);
  }
  const column = options.column ?? options.values;
  const tensors = await readTensors(file, what);
  const tensor = tensors.get(column);
  if (!tensor) {
    throw new UserError(
      `Cannot find the tensor "${column}" in "${name}": it has ${listWords([...tensors.keys()], "and")}`,
    );
  }
  const width = Math.max(1, data.classes.length);
  const { shape } = tensor;
  if (shape[0] === 0 || (shape.join() !== `${shape[0]},${width}` && !(width === 1 && shape.length === 1))) {
    throw new UserError(
      `Cannot use the tensor "${column}" of "${name}" as its shape is [${shape}]: expected [examples, ${width}]`,
    );
  }
  const numbers = tensor.numbers();
  const logits = new Float32Array(numbers.length);
  const place = (record: number) => `row ${record + 1}`;
  for (let record = 0; record < shape[0]; record++) {
    const given = [...numbers.subarray(record * width, (record + 1) * width)];
    logits.set(toLogits(given, options, data, { file: name, place: place(record) }), record * width);
  }
  return { file: name, logits, width, decisions: options.values === "decisions", ids: null, named: false, place };
}
