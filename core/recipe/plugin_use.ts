import { z } from "zod";

/**
 * Schema entries by which a recipe names a plug-in.
 *
 * @param what `Loss`, `Model`, `Data set`
 * @param example a file of one
 */
export function pluginUse(what: string, example: string) {
  return {
    use: z.string().min(1).describe(`${what} plug-in: a built-in name, a file (${example}), or an https:// address`),
    integrity: z.string().optional().describe(
      "sha256- and the SHA-256, in hexadecimal digits or base64, of a plug-in that is named by its address",
    ),
  };
}
