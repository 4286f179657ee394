import { fromBase64 } from "../../core/byte_texts.ts";
import { isJsonObject, parseJson, showJson } from "../../core/json.ts";
import { nearest } from "../../core/nearest.ts";
import { isThreshold } from "../predict/answer_flags.ts";
import type { AnswerOptions } from "../predict/answers.ts";
import type { Input, Takes } from "../predict/predictor.ts";
import { Refusal } from "./refusal.ts";
import type { Waiting } from "./waiting_line.ts";

/** What a request asks. */
export interface Asked {
  readonly inputs: readonly Waiting[];
  readonly options: AnswerOptions;
}

const KEYS = ["inputs", "top", "threshold"];

/**
 * What the body of a request to `/predict` asks: `{"inputs": ...}` as JSON, or the file of one picture.
 *
 * @param type the request's `content-type`
 * @param otherwise what is wanted where the request does not say it
 * @throws Refusal for what it is not
 */
export function readRequest(
  body: Uint8Array<ArrayBuffer>,
  type: string,
  takes: Takes,
  otherwise: AnswerOptions,
): Asked {
  const kind = type.split(";")[0].trim().toLowerCase();
  if (kind !== "application/json") {
    if (body.length === 0) throw new Refusal(400, "Cannot read the picture as the body is empty");
    return { inputs: [{ input: { picture: body }, place: "the picture" }], options: otherwise };
  }
  const value = parseJson(body, (reason) => new Refusal(400, `Cannot read the body as ${reason}`), {
    distinctKeys: true,
  });
  if (!isJsonObject(value)) {
    throw new Refusal(400, `Cannot read the body: expected a JSON object with inputs, got ${showJson(value)}`);
  }
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    const near = nearest(unknown, KEYS);
    throw new Refusal(
      400,
      `Unknown key ${showJson(unknown)} in the body: ${
        near ? `did you mean "${near}"?` : `expected ${KEYS.join(", ")}`
      }`,
    );
  }
  const { top = otherwise.top, threshold = otherwise.threshold } = value;
  if (!(typeof top === "number" && Number.isSafeInteger(top) && top >= 1)) {
    throw new Refusal(400, `Cannot use ${showJson(top)} as top: expected a whole number from 1`);
  }
  if (!(typeof threshold === "number" && isThreshold(threshold))) {
    throw new Refusal(400, `Cannot use ${showJson(threshold)} as threshold: expected a number between 0 and 1`);
  }
  return { inputs: inputsOf(value.inputs, takes), options: { top, threshold } };
}

function inputsOf(given: unknown, takes: Takes): Waiting[] {
  if (given === undefined) throw new Refusal(400, `Cannot predict without inputs: expected ${EXPECTED[takes]}`);
  if (!Array.isArray(given)) return [{ input: inputOf(given, "inputs", takes), place: "inputs" }];
  if (given.length === 0) throw new Refusal(400, "Cannot predict without inputs: the list is empty");
  return given.map((one, index) => {
    const place = `inputs[${index}]`;
    return { input: inputOf(one, place, takes), place };
  });
}

const EXPECTED: Readonly<Record<Takes, string>> = {
  texts: 'a text, or a list of texts and of pairs {"text": ..., "pair": ...}',
  words: 'a text, or a list of texts and of sentences {"words": [...]}',
  pictures: "the file of a picture in base64, or a list of such",
};

function inputOf(given: unknown, place: string, takes: Takes): Input {
  const wrong = () => new Refusal(400, `Cannot use ${place}, ${showJson(given)}: expected ${EXPECTED[takes]}`);
  if (typeof given === "string") {
    if (takes !== "pictures") return { text: given, pair: null };
    const picture = pictureIn(given);
    if (picture) return { picture };
    throw new Refusal(400, `Cannot use ${place}, ${showJson(given)}, as a picture: it is no base64`);
  }
  if (!isJsonObject(given) || takes === "pictures") throw wrong();
  const keys = Object.keys(given).sort().join();
  const { text, pair, words } = given;
  if (takes === "texts" && typeof text === "string") {
    if (keys === "text") return { text, pair: null };
    if (keys === "pair,text" && typeof pair === "string") return { text, pair };
  }
  if (takes === "words" && keys === "words" && Array.isArray(words)) {
    if (words.every((word) => typeof word === "string")) return { words };
  }
  throw wrong();
}

function pictureIn(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return fromBase64(text);
  } catch {
    return null;
  }
}
