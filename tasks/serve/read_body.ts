import { Refusal } from "./refusal.ts";

/** How a body is read. */
export interface BodyLimits {
  /** The most bytes that it may have. */
  readonly mostBytes: number;
  /** Seconds after which one that has not ended is given up. */
  readonly seconds: number;
}

/** So many times the bytes of a body are read and thrown away, so that its sender gets to read the answer. */
const DRAINED = 4;

/**
 * Reads a request's body; no more of one that is too large is kept in memory than it may have.
 *
 * @throws Refusal if it is too large, breaks off, or does not end in time
 */
export async function readBody(request: Request, { mostBytes, seconds }: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  const late = new Refusal(408, `Cannot wait for the body any longer: it has not ended after ${seconds} seconds`, {
    connection: "close",
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel(late).catch(() => {});
  }, seconds * 1000);
  try {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (true) {
      const { value, done } = await reader.read().catch(() => {
        throw isLate ? late : new Refusal(400, "Cannot read the body as it breaks off");
      });
      if (done) break;
      length += value.length;
      if (length <= mostBytes) parts.push(value);
      else parts.length = 0;
      if (length > DRAINED * mostBytes) break;
    }
    if (isLate) throw late;
    if (length > mostBytes) throw tooLarge(mostBytes);
    const body = new Uint8Array(length);
    let end = 0;
    for (const part of parts) {
      body.set(part, end);
      end += part.length;
    }
    return body;
  } finally {
    clearTimeout(timer);
    // What was read to its end has nothing to cancel; a sender that went on is told by the connection.
    reader.cancel().catch(() => {});
  }
}

function tooLarge(mostBytes: number): Refusal {
  return new Refusal(413, `Cannot take the body: it has more than ${mostBytes} bytes, which --max-body allows`);
}
