import { AwsClient } from "aws4fetch";
import { parseUrl } from "../../core/data/remote_file.ts";
import { UserError } from "../../core/errors.ts";
import type { Store } from "./store.ts";
import { variable } from "./variable.ts";

/** Where a bucket is, and who may use it. */
export interface S3Address {
  /** Address of the objects, without a slash at the end. */
  readonly url: string;
  /** The host as Deno's permissions have it. */
  readonly network: string;
  readonly region: string;
  readonly keyId: string;
  readonly secret: string;
  readonly session: string | undefined;
  /** For people. */
  readonly shown: string;
}

/** The variables that a store in S3 is described by, as by AWS's own tools. */
export const S3_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_ENDPOINT_URL_S3",
  "AWS_ENDPOINT_URL",
] as const;

/** Tries of a request that the server or the network fails. */
const RETRIES = 5;

/**
 * The store that `s3://bucket/prefix` stands for, its host and keys from the environment.
 *
 * @param lookUp gives a variable
 * @throws UserError if it is no such address, or a variable is missing
 */
export function s3Address(text: string, lookUp: (name: string) => string | undefined = variable): S3Address {
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z\d][a-z\d.-]{1,61}[a-z\d])(?:\/([\w./-]*))?$/.exec(text) ?? [];
  if (!bucket) {
    throw new UserError(`--store ${text}: Expected s3://bucket/prefix, the bucket in small letters, digits, - and .`);
  }
  const variables = Object.fromEntries(S3_VARIABLES.map((name) => [name, lookUp(name)]));
  const need = (name: typeof S3_VARIABLES[number]) => {
    const value = variables[name];
    if (value) return value;
    throw new UserError(
      `Cannot use the store ${text} as the variable ${name} is not set: it takes a key of the bucket`,
    );
  };
  const [keyId, secret] = [need("AWS_ACCESS_KEY_ID"), need("AWS_SECRET_ACCESS_KEY")];
  const region = variables.AWS_REGION || variables.AWS_DEFAULT_REGION || "us-east-1";
  const endpoint = variables.AWS_ENDPOINT_URL_S3 || variables.AWS_ENDPOINT_URL ||
    `https://s3.${region}.amazonaws.com`;
  const host = parseUrl(endpoint);
  if (!host || !["https:", "http:"].includes(host.protocol)) {
    throw new UserError(
      `Cannot use the store ${text} as AWS_ENDPOINT_URL is ${JSON.stringify(endpoint)}: expected https://host`,
    );
  }
  const path = [bucket, ...prefix.split("/").filter((part) => part !== "")].join("/");
  return {
    url: `${endpoint.replace(/\/+$/, "")}/${path}`,
    network: host.port === "" ? `${host.hostname}:${host.protocol === "https:" ? 443 : 80}` : host.host,
    region,
    keyId,
    secret,
    session: variables.AWS_SESSION_TOKEN || undefined,
    shown: text,
  };
}

/** A store in a bucket of S3, or of a server that answers as it does. */
export class S3Store implements Store {
  readonly name: string;
  readonly #client: AwsClient;

  constructor(private readonly address: S3Address) {
    const { region, keyId, secret, session, shown } = address;
    this.name = shown;
    this.#client = new AwsClient({
      accessKeyId: keyId,
      secretAccessKey: secret,
      sessionToken: session,
      service: "s3",
      region,
      retries: RETRIES,
    });
  }

  async has(key: string): Promise<boolean> {
    const answer = await this.#ask("HEAD", key);
    await answer.body?.cancel();
    return answer.status !== 404;
  }

  async read(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const answer = await this.#ask("GET", key);
    if (answer.status !== 404) return new Uint8Array(await answer.arrayBuffer());
    await answer.body?.cancel();
    return null;
  }

  async write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const answer = await this.#ask("PUT", key, bytes);
    await answer.body?.cancel();
  }

  async remove(key: string): Promise<void> {
    const answer = await this.#ask("DELETE", key);
    await answer.body?.cancel();
  }

  /** An answer that is one, or says that there is no such object. */
  async #ask(method: string, key: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> {
    const failed = (reason: string, cause?: unknown) =>
      new UserError(`Cannot ${method === "PUT" ? "write to" : "read"} the store ${this.name} as ${reason}`, { cause });
    let answer: Response;
    try {
      answer = await this.#client.fetch(`${this.address.url}/${key}`, { method, ...body && { body } });
    } catch (error) {
      throw failed(`the connection to ${this.address.network} failed: ${(error as Error).message}`, error);
    }
    if (answer.ok || answer.status === 404 && method !== "PUT") return answer;
    const text = await answer.text();
    const [, code] = /<Code>([^<]*)<\/Code>/.exec(text) ?? [];
    const [, message] = /<Message>([^<]*)<\/Message>/.exec(text) ?? [];
    throw failed(`${this.address.network} answers ${answer.status}: ${[code, message].filter(Boolean).join(", ")}`);
  }
}
