import type { Command } from "commander";
import type { DeviceError } from "../core/errors.ts";
import { addAnswerFlags, type AnswerFlags, answerOptions, backgroundOf } from "./predict/answer_flags.ts";
import { Predictor, type Takes } from "./predict/predictor.ts";
import { Answering } from "./serve/answering.ts";
import { backendChoice, withBackend } from "./support/backend.ts";
import { addVerbose } from "./support/flags.ts";
import { stoppable } from "./support/interrupt.ts";
import { numberInRange, wholeNumber } from "./support/numbers.ts";
import { standardOutput } from "./support/output.ts";
import { onPort, portNumber } from "./support/port.ts";
import { answeringModel } from "./support/saved_model.ts";

interface ServeFlags extends AnswerFlags {
  readonly port: string;
  readonly batchSize: string;
  readonly queue: string;
  readonly maxBody?: string;
}

/** Seconds that a body may take to arrive. */
const BODY_SECONDS = 20;

/** What a body may hold where no flag says it: to split a mebibyte of text into tokens takes seconds. */
const USUAL_MEBIBYTES: Readonly<Record<Takes, number>> = { pictures: 8, texts: 1, words: 1 };

const SIZES = "MiB above 0, at most 512";
const isSize = (size: number) => size > 0 && size <= 512;

/** Adds the verb `serve`: the answers of `predict` over HTTP. */
export function addServe(program: Command): void {
  const command = program.command("serve").description("answer what predict answers over HTTP, on 127.0.0.1")
    .argument("<folder>", "model folder, this program's or Hugging Face's, or run folder")
    .option("--port <number>", "port on 127.0.0.1; 0: any that is free", "8080")
    .option("--batch-size <number>", "inputs that are computed at once, of those that wait", "32")
    .option("--queue <number>", "requests and inputs that may wait; to more 503 is answered", "256")
    .option("--max-body <MiB>", "the most that a request may hold (default: of pictures 8, of texts 1)");
  addVerbose(addAnswerFlags(command)).action(serve);
}

async function serve(name: string, flags: ServeFlags): Promise<void> {
  const folder = await answeringModel(name, "serve");
  const choice = backendChoice(flags.backend);
  const port = portNumber(flags.port);
  const options = {
    answers: answerOptions(flags),
    batchSize: wholeNumber("--batch-size", flags.batchSize),
    queue: wholeNumber("--queue", flags.queue),
  };
  const mebibytes = flags.maxBody === undefined ? null : numberInRange("--max-body", flags.maxBody, SIZES, isSize);
  const background = backgroundOf(flags);
  const [out, err] = [standardOutput("stdout"), standardOutput("stderr")];
  await withBackend(choice, out.line, async (backend) => {
    using predictor = await Predictor.open(folder, { backend, background, report: out.line });
    await stoppable(async (signal) => {
      const broken = Promise.withResolvers<DeviceError>();
      const stopped = new Promise<null>((resolve) => signal.addEventListener("abort", () => resolve(null)));
      const answering = new Answering(predictor, {
        ...options,
        body: {
          mostBytes: Math.ceil(2 ** 20 * (mebibytes ?? USUAL_MEBIBYTES[predictor.takes])),
          seconds: BODY_SECONDS,
        },
        backend,
        folder,
        broken: broken.resolve,
        report: err.line,
      });
      const server = onPort(
        port,
        () => Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => answering.answer(request)),
      );
      out.line(`answers at http://127.0.0.1:${server.addr.port}/predict until Ctrl-C or SIGTERM`);
      const failure = await Promise.race([stopped, broken.promise]);
      // Before the server, which would cut off what is still on its way.
      await answering.end();
      await server.shutdown();
      if (failure) throw failure;
    }, () => err.line("ending as soon as all requests are answered; Ctrl-C again ends at once"));
  });
}
