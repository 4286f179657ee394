import assert from "node:assert/strict";

/** Reads on until the text of a pattern has come. */
export async function readUntil(reader: ReadableStreamDefaultReader<string>, pattern: RegExp): Promise<string> {
  let text = "";
  while (!pattern.test(text)) {
    const { value, done } = await reader.read();
    if (done) assert.fail(`the process ended before ${pattern}: ${text}`);
    text += value;
  }
  return text;
}

/** What is left of a stream. */
export async function readRest(reader: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
  return text;
}

/** A stream of a process as text. */
export const textOf = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
  stream.pipeThrough(new TextDecoderStream()).getReader();
