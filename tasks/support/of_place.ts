import { NetworkFailure } from "../../core/data/download.ts";
import { NoFloat16 } from "../../core/distill/training/precision.ts";
import { DeviceError, TensorTooLarge } from "../../core/errors.ts";
import { currentFiles } from "../../core/files/current.ts";
import { unfetchedPackage } from "../../core/plugin/import_failure.ts";

/** Failures of files that say something of their names, and nothing of the disk that they are on. */
const OF_NAMES = ["ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "EINVAL"];

/** Whether what caused an error need not be so elsewhere, or in an hour. */
export function isOfPlace(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const code = currentFiles().failureOf(cause)?.code;
  return code !== undefined && !OF_NAMES.includes(code) || cause instanceof NetworkFailure ||
    cause instanceof DeviceError || cause instanceof NoFloat16 || isTooLarge(cause) ||
    unfetchedPackage(cause) !== null || isOfPlace(cause.cause);
}

/** Whether an error, or what caused it, is that something is larger than this machine can hold. */
export function isTooLarge(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isMemory = error instanceof RangeError && /allocation|memory/i.test(error.message);
  return isMemory || error instanceof TensorTooLarge || isTooLarge(error.cause);
}
