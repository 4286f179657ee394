import type { Backend } from "../../core/backend/backend.ts";
import { type DeviceError, UserError, wordsOf } from "../../core/errors.ts";
import { showJson } from "../../core/json.ts";
import { shorten } from "../../core/visible.ts";
import { counted } from "../support/format.ts";
import { answerOf, type AnswerOptions } from "../predict/answers.ts";
import type { Predictor } from "../predict/predictor.ts";
import { type BodyLimits, readBody } from "./read_body.ts";
import { readRequest } from "./read_request.ts";
import { Refusal } from "./refusal.ts";
import { WaitingLine } from "./waiting_line.ts";

/** How requests are answered. */
export interface AnsweringOptions {
  readonly backend: Pick<Backend, "name" | "memory">;
  /** The model's folder, for `/health`. */
  readonly folder: string;
  readonly body: BodyLimits;
  /** The most requests that are read, and inputs that wait, at a time; of one request the most inputs. */
  readonly queue: number;
  /** Inputs that are computed at once. */
  readonly batchSize: number;
  readonly answers: AnswerOptions;
  /** Told when the device failed. */
  readonly broken: (error: DeviceError) => void;
  /** Takes lines about failures that are ours. */
  readonly report: (line: string) => void;
}

/** Names by which this machine is asked for: a page elsewhere whose name was turned to it has another. */
const OWN_NAMES = ["127.0.0.1", "localhost"];

/** Answers requests about a model: `POST /predict` and `GET /health`, all in JSON. */
export class Answering {
  readonly #line: WaitingLine;
  readonly #counts = { answered: 0, refused: 0, failed: 0 };
  #present = 0;
  #ended: (() => void) | null = null;

  constructor(private readonly predictor: Predictor, private readonly options: AnsweringOptions) {
    this.#line = new WaitingLine(predictor, options.batchSize, options.broken);
  }

  /** Lets no more requests in. @returns once all that are there are answered, also those still on their way */
  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
      if (this.#present === 0) resolve();
    });
  }

  /** The answer to a request, also to one that is refused. */
  async answer(request: Request): Promise<Response> {
    try {
      // What a request calls its host may be anything.
      const url = URL.parse(request.url);
      if (!url) throw new Refusal(400, `Cannot read the address ${showJson(request.url)}`);
      const { hostname, pathname } = url;
      if (!OWN_NAMES.includes(hostname)) {
        throw new Refusal(421, `Cannot answer for the host ${showJson(hostname)}: expected ${OWN_NAMES.join(" or ")}`);
      }
      if (pathname === "/health") {
        expectMethod(request, pathname, ["GET", "HEAD"]);
        return json(200, this.#health());
      }
      if (pathname !== "/predict") {
        throw new Refusal(404, `Unknown path ${showJson(pathname)}: expected POST /predict or GET /health`);
      }
      expectMethod(request, pathname, ["POST"]);
      const answers = await this.#predict(request);
      this.#counts.answered++;
      return json(200, { task: this.predictor.input.task, answers });
    } catch (error) {
      return this.#refused(error);
    }
  }

  async #predict(request: Request) {
    const { predictor, options: { queue, body: limits, answers } } = this;
    const type = expectType(request, predictor.takes === "pictures");
    if (this.#ended) {
      throw new Refusal(503, "Cannot take more as the program is ending", { connection: "close" });
    }
    if (this.#present >= queue) throw full(queue);
    this.#present++;
    try {
      const body = await readBody(request, limits);
      const { inputs, options } = readRequest(body, type, predictor.takes, answers);
      if (inputs.length > queue) {
        throw new Refusal(413, `Cannot take ${inputs.length} inputs at once: at most ${queue} are taken (--queue)`);
      }
      if (this.#line.length + inputs.length > queue) throw full(queue);
      const computed = await this.#line.add(inputs);
      return computed.map((own) => answerOf(predictor.input, own, options));
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#present--;
    if (this.#present === 0) this.#ended?.();
  }

  #health() {
    const { predictor, options: { folder, backend } } = this;
    const { input: { task, classes }, architecture, takes } = predictor;
    return {
      status: "ok",
      ...{ model: folder, architecture, task, takes, classes },
      backend: backend.name,
      present: this.#present,
      waiting: this.#line.length,
      ...this.#counts,
      batches: this.#line.batches,
      deviceBytes: backend.memory().bytes,
    };
  }

  #refused(error: unknown): Response {
    if (error instanceof Refusal) {
      this.#counts.refused++;
      return json(error.status, { error: error.message }, error.headers);
    }
    if (error instanceof UserError) {
      this.#counts.refused++;
      return json(400, { error: error.message });
    }
    this.#counts.failed++;
    this.options.report(`A request failed: ${wordsOf(error)}`);
    return json(500, { error: `Internal error: ${wordsOf(error)}` });
  }
}

function expectMethod({ method }: Request, path: string, methods: readonly string[]): void {
  if (methods.includes(method)) return;
  throw new Refusal(405, `Cannot answer ${shorten(method)} ${path}: expected ${methods[0]}`, {
    allow: methods.join(", "),
  });
}

/** The kind of the body. @throws Refusal if it is none that the model takes */
function expectType({ headers }: Request, pictures: boolean): string {
  const type = headers.get("content-type") ?? "";
  const encoding = headers.get("content-encoding") ?? "identity";
  const expected = `application/json${pictures ? ", image/* or application/octet-stream" : ""}`;
  const isKnown = pictures
    ? /^\s*(?:application\/json|image\/[\w.+-]+|application\/octet-stream)\s*(?:;|$)/i
    : /^\s*application\/json\s*(?:;|$)/i;
  if (!isKnown.test(type)) {
    throw new Refusal(415, `Cannot read a body of the type ${showJson(type)}: expected ${expected} as content-type`);
  }
  if (encoding.toLowerCase() === "identity") return type;
  throw new Refusal(415, `Cannot read a body in the encoding ${showJson(encoding)}: expected none`);
}

function full(queue: number): Refusal {
  return new Refusal(
    503,
    `Cannot take more now: ${counted(queue, "input")} may wait, and as many do; try again later`,
    {
      "retry-after": "1",
    },
  );
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value) + "\n", {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}
