import type { Command } from "commander";
import { UserError } from "../core/errors.ts";
import { backendChoice, withBackend } from "./support/backend.ts";
import { counted } from "./support/format.ts";
import { addVerbose } from "./support/flags.ts";
import { standardOutput, stylesOf } from "./support/output.ts";
import { answeringModel } from "./support/saved_model.ts";
import { wholeNumber } from "./support/numbers.ts";
import { addAnswerFlags, type AnswerFlags, answerOptions, backgroundOf } from "./predict/answer_flags.ts";
import { answerOf } from "./predict/answers.ts";
import type { NamedInput } from "./predict/named_input.ts";
import { pictureInputs } from "./predict/picture_inputs.ts";
import { Predictor } from "./predict/predictor.ts";
import { type NamedAnswer, showAnswers } from "./predict/show.ts";
import { type TextFlags, textInputs } from "./predict/text_inputs.ts";

interface PredictFlags extends TextFlags, AnswerFlags {
  readonly batchSize: string;
  readonly json?: boolean;
}

/** Adds the verb `predict`: what a saved model answers about texts or pictures. */
export function addPredict(program: Command): void {
  const command = program.command("predict").description("what a saved model answers about texts or pictures")
    .argument("<folder>", "model folder, this program's or Hugging Face's, or run folder")
    .argument("[input...]", "texts, or of a model of images files and folders of pictures (default: texts of --file)")
    .option("--file <file>", "read the texts from there, - for standard input (default: that, if there are no inputs)")
    .option("--format <format>", "lines: one text a line, or a table: csv, tsv, jsonl (default: by the file's name)")
    .option("--column <name>", "column of the texts in a table (default: text)")
    .option("--pair-column <name>", "column of the second texts, where the model takes pairs")
    .option("--pairs", "inputs are pairs of texts, one after the other; in lines a tab stands between");
  addVerbose(
    addAnswerFlags(command)
      .option("--batch-size <number>", "inputs that are computed at once", "32")
      .option("--json", "print the answers as JSON"),
  ).action(predict);
}

async function predict(name: string, given: readonly string[], flags: PredictFlags): Promise<void> {
  const folder = await answeringModel(name, "predict with");
  const choice = backendChoice(flags.backend);
  const options = answerOptions(flags);
  const background = backgroundOf(flags);
  const batchSize = wholeNumber("--batch-size", flags.batchSize);
  const [out, err] = [standardOutput("stdout"), standardOutput("stderr")];
  const tell = flags.json ? err : out;
  await withBackend(choice, tell.line, async (backend) => {
    using predictor = await Predictor.open(folder, { backend, background, report: tell.line });
    const { architecture, input } = predictor;
    const inputs = await inputsFor(predictor, given, flags, err.line);
    const answers: NamedAnswer[] = [];
    for (let first = 0; first < inputs.length; first += batchSize) {
      const batch = inputs.slice(first, first + batchSize);
      const prepared = [];
      for (const { read, place } of batch) prepared.push(await predictor.prepare(await read(), place));
      const computed = await predictor.run(prepared);
      answers.push(...computed.map((own, index) => ({ ...batch[index].source, ...answerOf(input, own, options) })));
    }
    const cut = answers.filter(({ cut }) => cut).length;
    if (cut > 0) {
      err.line(`${counted(cut, "text")} had more tokens than the model takes, which has not seen the end of them`);
    }
    if (flags.json) {
      const report = { model: folder, architecture, task: input.task, backend: backend.name, answers };
      return out.line(JSON.stringify(report, null, 2));
    }
    for (const line of showAnswers(input.task, answers, stylesOf(out), predictor.takes === "pictures")) out.line(line);
  });
}

/** Arguments are texts for a model of texts, and paths for one of images, whatever they look like. */
async function inputsFor(
  { takes }: Predictor,
  given: readonly string[],
  flags: PredictFlags,
  note: (line: string) => void,
): Promise<NamedInput[]> {
  if (takes === "pictures") {
    const wrong = (["file", "format", "column", "pairColumn", "pairs"] as const).find((key) =>
      flags[key] !== undefined
    );
    if (wrong === undefined) return await pictureInputs(given);
    const flag = `--${wrong === "pairColumn" ? "pair-column" : wrong}`;
    throw new UserError(`${flag}: Expected a model of texts: this one takes pictures, whose files are arguments`);
  }
  const inputs = await textInputs(given, flags, async () => {
    if (Deno.stdin.isTerminal()) {
      throw new UserError(
        "Cannot predict without texts: expected some as arguments, in --file FILE, or on standard input",
      );
    }
    return await new Response(Deno.stdin.readable).bytes();
  });
  for (const text of given) {
    // A text that happens to be a file's name is one all the same; who meant the file learns it.
    const isFile = text.length < 256 && await Deno.stat(text).then((info) => info.isFile, () => false);
    if (isFile) note(`"${text}" is taken as a text: --file ${text} reads texts from the file`);
  }
  return inputs;
}
