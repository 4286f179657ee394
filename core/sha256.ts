import { toHex } from "./byte_texts.ts";

/** The SHA-256 of bytes as 64 lower-case hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** One hash over all numbers, in the model's order. */
export async function sha256OfWeights(weights: ReadonlyMap<string, Float32Array>): Promise<string> {
  return await sha256(
    new Uint8Array(await new Blob([...weights.values()] as Float32Array<ArrayBuffer>[]).arrayBuffer()),
  );
}
