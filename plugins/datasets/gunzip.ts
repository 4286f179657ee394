/** Bytes given to the inflater at once, so that what comes out before the limit is looked at stays below 17 MB. */
const PIECE = 16_384;

/** Whether bytes are gzip by what they begin with, whatever the file is called. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The most bytes that one byte of gzip inflates to, by the format's own limits. */
const MOST_PER_BYTE = 1032;

/** The most bytes that some gzip can inflate to, whatever is in it. */
export function mostInflated({ length }: Uint8Array): number {
  return MOST_PER_BYTE * length;
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
  // The system gives memory as it is filled, and a damaged header may have set the limit far too high.
  const inflated = new Uint8Array(Math.min(limit, mostInflated(bytes)));
  let filled = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of streamOf(bytes).pipeThrough(new DecompressionStream("gzip"))) {
    const part = chunk.subarray(0, inflated.length - filled);
    inflated.set(part, filled);
    filled += part.length;
    if (filled === inflated.length) break;
  }
  // A part of a large array would keep all of it.
  return filled === inflated.length ? inflated : inflated.slice(0, filled);
}

/** Bytes as a stream of pieces; `ReadableStream.from` is younger than many browsers in use. */
function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let start = 0;
  return new ReadableStream({
    pull(controller) {
      if (start >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(start, start + PIECE));
      start += PIECE;
    },
  });
}
