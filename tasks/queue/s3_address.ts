import { parseUrl } from "../../core/data/remote_file.ts";
import { UserError } from "../../core/errors.ts";
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
  readonly bucket: string;
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

/**
 * The store that `s3://bucket/prefix` stands for, its host and keys from the environment.
 *
 * @param lookUp gives a variable
 * @throws UserError if it is no such address, or a variable is missing
 */
export function s3Address(
  text: string,
  lookUp: (name: string) => string | undefined = (name) => variable(name, `use the store ${text}`),
): S3Address {
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z\d][a-z\d.-]{1,61}[a-z\d])(?:\/([\w./-]*))?$/.exec(text) ?? [];
  const parts = prefix.split("/").filter((part) => part !== "");
  // By ".." an address leads into another bucket.
  if (!bucket || parts.some((part) => /^\.+$/.test(part))) {
    throw new UserError(
      `--store ${text}: Expected s3://bucket/prefix, the bucket in small letters, digits, - and ., the prefix in ` +
        "letters, digits, _, - and .",
    );
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
  const path = [bucket, ...parts].join("/");
  return {
    url: `${endpoint.replace(/\/+$/, "")}/${path}`,
    network: host.port === "" ? `${host.hostname}:${host.protocol === "https:" ? 443 : 80}` : host.host,
    region,
    keyId,
    secret,
    session: variables.AWS_SESSION_TOKEN || undefined,
    bucket,
    shown: text,
  };
}
