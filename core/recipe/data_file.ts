import { z } from "zod";
import { isUrl, refusalOf, type RemoteFile } from "../data/remote_file.ts";
import { inWords } from "./bounds.ts";
import { isMap } from "./paths.ts";
import type { Schema } from "./zod_schema.ts";

/**
 * Schema of a file of a data set: a path, or `{ url: https://…, sha256: … }` for one to be downloaded. An address
 * without the hash is refused with a sentence that says how to get it. What it gives, `DatasetSetup.readFile` reads.
 *
 * @returns the schema, to be given a default and a description
 *
 * @example
 * ```ts
 * const images = dataFile().default("train-images-idx3-ubyte.gz").describe("File of the training images");
 * ```
 */
export function dataFile(): Schema<string | RemoteFile> {
  const remote = z.strictObject({
    url: z.string().describe("Address that begins with https:// or http://"),
    sha256: inWords(z.string().regex(/^[0-9a-fA-F]{64}$/), "64 hexadecimal digits").describe(
      "SHA-256 that the content must have",
    ),
  });
  return z.preprocess((value, context) => {
    const address = addressIn(value);
    const refusal = address && refusalOf(address);
    if (!refusal) return value;
    context.addIssue({ code: "custom", message: refusal });
    return z.NEVER;
  }, z.union([z.string().min(1), remote]));
}

/** A file to download, in either notation; a map with other keys is left to the schema. */
function addressIn(value: unknown): { url: string; sha256?: unknown } | null {
  if (typeof value === "string") return isUrl(value) ? { url: value } : null;
  if (!isMap(value) || typeof value.url !== "string") return null;
  const known = Object.keys(value).every((key) => key === "url" || key === "sha256");
  return known ? { url: value.url, sha256: value.sha256 } : null;
}
