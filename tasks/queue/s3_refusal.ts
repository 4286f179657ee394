import { certificateReason } from "./certificate_reason.ts";
import type { S3Address } from "./s3_address.ts";

/** Why a server gave no answer that can be used. */
export interface Refusal {
  /** To follow "as". */
  readonly reason: string;
  /** Whether the same request may be answered later. */
  readonly passes: boolean;
  /** The server's. */
  readonly code: string | null;
  readonly cause?: unknown;
}

/** Milliseconds that a signature may be older or newer than the server's time. */
const SKEW = 15 * 60_000;

/** Statuses of requests that may be answered later, beside the server's own errors. */
const PASSING = [408, 425, 429];

/** What to do about a code. */
const HINTS: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: "look at AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch: "look at AWS_SECRET_ACCESS_KEY",
  ExpiredToken: "the key's session is over: get a new AWS_SESSION_TOKEN",
  AccessDenied: "the key must be allowed s3:GetObject, s3:PutObject, s3:DeleteObject and, of the bucket, s3:ListBucket",
  PermanentRedirect: "the bucket is elsewhere: look at AWS_REGION",
  TemporaryRedirect: "the bucket is elsewhere: look at AWS_REGION",
  AuthorizationHeaderMalformed: "look at AWS_REGION",
};

/** Reads an answer that is none. */
export async function refusalOf(answer: Response, { network, bucket }: S3Address): Promise<Refusal> {
  const { status } = answer;
  const text = await answer.text();
  const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? null;
  const passes = status >= 500 || PASSING.includes(status) || code === "RequestTimeout";
  const clock = clockReason(answer, code);
  if (clock !== null) return { reason: clock, passes: false, code };
  const message = code === "NoSuchBucket"
    ? `there is no bucket "${bucket}"`
    : HINTS[code ?? ""] ?? /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
  const told = [code, message].filter(Boolean).join(", ");
  return { reason: `${network} answers ${status}${told && ": "}${told}`, passes, code };
}

/** What to do about a connection that does not come about, by the runtime's words. */
const CONNECTIONS: readonly (readonly [RegExp, string])[] = [
  [/refused/, "nothing answers there: look at AWS_ENDPOINT_URL"],
  [/dns error/, "there is no host of that name: look at AWS_ENDPOINT_URL"],
  [/InvalidContentType|corrupt message/, "it speaks no TLS: AWS_ENDPOINT_URL is to begin with http:// then"],
];

/** What failed before there was an answer, or in the middle of one. */
export function failureOf(error: unknown, network: string): Refusal {
  const { message, cause } = error as Error;
  const words = cause instanceof Error ? `${message} ${cause.message}` : message;
  const certificate = certificateReason(words);
  const reason = certificate ?? CONNECTIONS.find(([pattern]) => pattern.test(words))?.[1] ?? "it was cut";
  const isForGood = certificate !== null || /dns error|InvalidContentType|blocked/.test(words);
  return { reason: `the connection to ${network} failed: ${reason}`, passes: !isForGood, code: null, cause: error };
}

/** Says so if a signature was refused for its time. */
function clockReason({ status, headers }: Response, code: string | null): string | null {
  const ahead = Date.now() - Date.parse(headers.get("date") ?? "");
  const isFar = Math.abs(ahead) > SKEW;
  if (code !== "RequestTimeTooSkewed" && !(status === 403 && isFar)) return null;
  const far = isFar
    ? `${Math.round(Math.abs(ahead) / 60_000)} minutes ${ahead > 0 ? "ahead of" : "behind"}`
    : "far from";
  return `this machine's clock is ${far} the store's, which takes signatures of 15 minutes: set it right`;
}
