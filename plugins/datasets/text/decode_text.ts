import { UserError } from "../../../core/errors.ts";

/** Encodings that a text file may be in. */
export const ENCODINGS = ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const;
export type Encoding = typeof ENCODINGS[number];

/** A file's text, without a byte order mark. @throws UserError if the bytes are not of that encoding */
export function decodeText(bytes: Uint8Array, encoding: Encoding, file: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`Cannot read "${file}" as it is not ${encoding}: set encoding to ${ENCODINGS.join(", ")}`);
  }
}
