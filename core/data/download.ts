import { UserError } from "../errors.ts";
import { currentFilesIfAny } from "../files/current.ts";

/** How long a server may send nothing, in milliseconds. */
const PATIENCE = 30_000;

/** What a download failed of that another hour, or another machine, may not see: the cause of the error that tells. */
export class NetworkFailure extends Error {
  static {
    this.prototype.name = "NetworkFailure";
  }
}

/**
 * Downloads a file into memory.
 *
 * @param url an address that begins with https:// or http://
 * @param limit the most bytes that are taken; a server that sends more is cut off
 * @param patience how long the server may send nothing, in milliseconds; 30 seconds by default
 * @returns the bytes as the server stores them
 * @throws UserError if the network may not be used or fails, the server answers with an error or falls
 *   silent, or there are more bytes
 */
export async function download(
  url: string,
  limit: number,
  patience: number = PATIENCE,
): Promise<Uint8Array<ArrayBuffer>> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(silenceOf(url, patience)), patience);
  };
  try {
    listen();
    // Without this, fetch unpacks a .gz file that the server says to be gzipped, and what comes out has another hash.
    const response = await fetch(url, { headers: { "accept-encoding": "identity" }, signal: silence.signal });
    if (!response.ok) {
      await response.body?.cancel();
      const status = `${response.status} ${response.statusText}`.trim();
      throw new UserError(`Cannot download "${url}" as the server answers ${status}: check the address`, {
        cause: new NetworkFailure(status),
      });
    }
    return await readUpTo(response, limit, url, listen);
  } catch (error) {
    const refusal = currentFilesIfAny()?.networkRefusal(error, url) ?? null;
    if (refusal !== null) {
      const cause = new NetworkFailure("it may not be used", { cause: error });
      throw new UserError(`Cannot download "${url}" as ${refusal}`, { cause });
    }
    // fetch throws a TypeError, and nothing more specific, for every failure of the network.
    if (error instanceof TypeError) throw networkFailure(url, error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function readUpTo(
  response: Response,
  limit: number,
  url: string,
  heard: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = new UserError(
    `Cannot download "${url}" as it is larger than ${limit / 2 ** 20} MiB: download it yourself and name its path`,
  );
  if (Number(response.headers.get("content-length") ?? 0) > limit) {
    await response.body?.cancel();
    throw tooLarge;
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  // Leaving the loop cancels the download.
  for await (const part of response.body ?? []) {
    heard();
    length += part.length;
    if (length > limit) throw tooLarge;
    parts.push(part);
  }
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (const part of parts) {
    bytes.set(part, filled);
    filled += part.length;
  }
  return bytes;
}

function silenceOf(url: string, patience: number): UserError {
  return new UserError(
    `Cannot download "${url}" as the server has sent nothing for ${patience / 1000} seconds: try again later, or ` +
      "download it yourself and name its path",
    { cause: new NetworkFailure("silence") },
  );
}

function networkFailure(url: string, error: TypeError): UserError {
  const { message } = error.cause instanceof Error ? error.cause : error;
  const reason = message.replace(/^error sending request for url \(.*?\): /, "");
  return new UserError(`Cannot download "${url}" as the network fails: ${reason}`, {
    cause: new NetworkFailure(reason, { cause: error }),
  });
}
