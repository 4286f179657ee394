import type { Picture } from "../../../core/data/resize.ts";
import { wordsOf } from "../../../core/errors.ts";
import type { ThreadScope } from "../../../core/thread.ts";
import { decoded, type DecodeJob } from "./decode_job.ts";
import { BadPicture } from "./picture_format.ts";

/** What a thread that decodes answers to each job, in their order. */
export type Answer =
  | { readonly picture: Picture }
  /** Why the picture cannot be used. */
  | { readonly bad: string }
  /** What went wrong with us, and where. */
  | { readonly failed: string; readonly stack?: string };

/**
 * The program of a thread that decodes pictures, one after another. Jobs come and answers go through the port that it
 * is first sent.
 */
export function serveDecoder(scope: ThreadScope<MessagePort>): void {
  scope.onmessage = ({ data: port }) => {
    let last = Promise.resolve();
    port.onmessage = ({ data }: { data: DecodeJob }) => {
      last = last.then(async () => {
        const answer = await answerOf(data);
        port.postMessage(answer, "picture" in answer ? [answer.picture.pixels.buffer as ArrayBuffer] : []);
      });
    };
    scope.postMessage("ready");
  };
}

async function answerOf(job: DecodeJob): Promise<Answer> {
  try {
    const { pixels, ...size } = await decoded(job);
    const isWhole = pixels.byteLength === pixels.buffer.byteLength;
    return { picture: { ...size, pixels: isWhole ? pixels : pixels.slice() } };
  } catch (error) {
    if (error instanceof BadPicture) return { bad: error.reason };
    return { failed: wordsOf(error), ...(error instanceof Error && error.stack && { stack: error.stack }) };
  }
}
