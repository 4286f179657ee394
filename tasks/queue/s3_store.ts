import { AwsClient } from "aws4fetch";
import { UserError } from "../../core/errors.ts";
import { sha256 } from "../../core/sha256.ts";
import type { S3Address } from "./s3_address.ts";
import { failureOf, type Refusal, refusalOf } from "./s3_refusal.ts";
import type { Store } from "./store.ts";

/** Times of a store, in milliseconds. */
export interface StoreTimes {
  /** That a request is tried again while the network or the server fails it, and as long as it never answered. */
  readonly patience: number;
  readonly firstPatience: number;
  /** Without a byte, after which a request counts as failed. */
  readonly silence: number;
}

const TIMES: StoreTimes = { patience: 60_000, firstPatience: 3000, silence: 60_000 };

/** Milliseconds between two tries, at most. */
const MOST_BETWEEN = 4000;

/** Bytes in a millisecond that an upload comes to at least. */
const SLOWEST = 50;

/** What a request came to: what was read of the answer, or why there is none that can be used. */
type Came<Result> = { readonly result: Result } | Refusal;

/** Reads an answer. @param hear is called at each piece of it */
type Reader<Result> = (answer: Response, hear: () => void) => Promise<Came<Result>>;

/** A store in a bucket of S3, or of a server that answers as it does. */
export class S3Store implements Store {
  readonly name: string;
  readonly #client: AwsClient;
  #reached = false;

  constructor(private readonly address: S3Address, private readonly times: StoreTimes = TIMES) {
    const { region, keyId, secret, session, shown } = address;
    this.name = shown;
    this.#client = new AwsClient({
      accessKeyId: keyId,
      secretAccessKey: secret,
      sessionToken: session,
      service: "s3",
      region,
    });
  }

  has(key: string): Promise<boolean> {
    return this.#ask("HEAD", key, async (answer) => {
      await answer.body?.cancel();
      if (answer.ok || answer.status === 404) return { result: answer.ok };
      // Such an answer has no words.
      return answer.status < 500 ? { result: await this.read(key) !== null } : await this.#refusal(answer);
    });
  }

  read(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#ask("GET", key, async (answer, hear): Promise<Came<Uint8Array<ArrayBuffer> | null>> => {
      return answer.ok ? { result: await bytesOf(answer, hear) } : await this.#unlessMissing(answer);
    });
  }

  async write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#ask("PUT", key, (answer) => answer.ok ? drained(answer) : this.#refusal(answer), bytes);
  }

  async remove(key: string): Promise<void> {
    await this.#ask("DELETE", key, (answer) => answer.ok ? drained(answer) : this.#unlessMissing(answer));
  }

  /** There may be no object, but there must be a bucket. */
  async #unlessMissing(answer: Response): Promise<Came<null>> {
    const refusal = await this.#refusal(answer);
    return answer.status === 404 && refusal.code !== "NoSuchBucket" ? { result: null } : refusal;
  }

  #refusal(answer: Response): Promise<Refusal> {
    return refusalOf(answer, this.address);
  }

  /**
   * Asks until there is an answer, or no hope of one.
   *
   * @throws UserError if there is none
   */
  async #ask<Result>(
    method: "HEAD" | "GET" | "PUT" | "DELETE",
    key: string,
    read: Reader<Result>,
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<Result> {
    const begin = performance.now();
    // The server refuses what was damaged on its way.
    const headers = body && { "X-Amz-Content-Sha256": await sha256(body) };
    for (let tries = 1;; tries++) {
      const came = await this.#once(key, { method, headers, body }, read);
      if ("result" in came) {
        this.#reached = true;
        return came.result;
      }
      const patience = this.#reached ? this.times.patience : this.times.firstPatience;
      if (!came.passes || performance.now() - begin > patience) {
        const what = body || method === "DELETE" ? "write to" : "read";
        throw new UserError(`Cannot ${what} the store ${this.name} as ${came.reason}`, { cause: came.cause });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(50 * 2 ** tries, MOST_BETWEEN)));
    }
  }

  async #once<Result>(
    key: string,
    init: {
      readonly method: string;
      readonly headers?: Record<string, string>;
      readonly body?: Uint8Array<ArrayBuffer>;
    },
    read: Reader<Result>,
  ): Promise<Came<Result>> {
    const { url, network } = this.address;
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hear = (more = 0) => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), this.times.silence + more);
    };
    hear((init.body?.length ?? 0) / SLOWEST);
    try {
      const path = key.split("/").map(encodeURIComponent).join("/");
      const request = await this.#client.sign(`${url}/${path}`, { ...init, redirect: "manual" });
      return await read(await fetch(request, { signal: silence.signal }), hear);
    } catch (error) {
      if (error instanceof UserError) throw error;
      return silence.signal.aborted
        ? { reason: `${network} does not answer`, passes: true, code: null }
        : failureOf(error, network);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function drained(answer: Response): Promise<{ readonly result: null }> {
  await answer.body?.cancel();
  return { result: null };
}

async function bytesOf(answer: Response, hear: () => void): Promise<Uint8Array<ArrayBuffer>> {
  const parts: BlobPart[] = [];
  for await (const part of answer.body ?? []) {
    hear();
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
