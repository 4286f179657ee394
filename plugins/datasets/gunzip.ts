/** Bytes given to the inflater at once, so that what comes out before the limit is looked at stays below 17 MB. */
const PIECE = 16_384;

/** Whether bytes are gzip by what they begin with, whatever the file is called. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Inflates gzip, but never more than is asked for: a small file can inflate to more than the memory holds.
 *
 * @param bytes a gzip file
 * @param limit where to stop, in bytes of the result
 * @returns the inflated bytes, or the first `limit` of them
 * @throws TypeError if the bytes before the limit are damaged or cut short. What lies beyond is not looked at.
 */
export async function gunzipUpTo(bytes: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  // Memory is taken for what arrives, not for the limit, which a damaged header may have set far too high.
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of ReadableStream.from(pieces(bytes)).pipeThrough(new DecompressionStream("gzip"))) {
    const part = chunk.subarray(0, limit - length);
    parts.push(part);
    length += part.length;
    if (length === limit) break;
  }
  const inflated = new Uint8Array(length);
  let filled = 0;
  for (const part of parts) {
    inflated.set(part, filled);
    filled += part.length;
  }
  return inflated;
}

function* pieces(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE);
}
