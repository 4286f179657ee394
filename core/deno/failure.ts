import type { FileFailure } from "../files/files.ts";
import { REASONS } from "../files/reasons.ts";

/** Numbers of errors that Deno gives no code for; those that systems do not share by the system. */
function numbers(): Readonly<Record<string, string>> {
  const { os } = Deno.build;
  return {
    27: "EFBIG",
    ...(os === "linux" ? { 37: "ENOLCK", 116: "ESTALE", 122: "EDQUOT" } : {}),
    ...(os === "darwin" ? { 69: "EDQUOT", 70: "ESTALE", 77: "ENOLCK" } : {}),
  };
}

/** The codes of Deno's classes of errors, where an error says none itself. */
function codeOfClass(error: Error): string | null {
  const { errors } = Deno;
  if (error instanceof errors.NotFound) return "ENOENT";
  if (error instanceof errors.IsADirectory) return "EISDIR";
  if (error instanceof errors.NotADirectory) return "ENOTDIR";
  if (error instanceof errors.PermissionDenied) return "EACCES";
  if (error instanceof errors.AlreadyExists) return "EEXIST";
  if (error instanceof errors.FilesystemLoop) return "ELOOP";
  return null;
}

/** What an error of Deno or of the operating system says of files; `null` if nothing. */
export function failureOf(error: unknown): FileFailure | null {
  if (error instanceof Deno.errors.NotCapable) {
    const reason = permissionReason(error.message);
    return reason === null ? null : { code: "EACCES", reason };
  }
  if (!(error instanceof Error)) return null;
  if (error instanceof TypeError && /NUL byte/.test(error.message)) {
    return { code: "EINVAL", reason: "no file's name has a NUL character in it" };
  }
  const { code } = error as { code?: unknown };
  const own = code ?? numbers()[error.message.match(/\(os error (\d+)\)/)?.[1] ?? ""];
  const known = typeof own === "string" && Object.hasOwn(REASONS, own);
  const found = known ? own : codeOfClass(error) ?? own;
  return typeof found === "string" ? { code: found } : null;
}

/**
 * Why a permission is missing; `null` where none is: a worker that was to have more than its parent, say. Deno's own
 * sentence advises permission for everything where the path belongs to the system.
 */
function permissionReason(message: string): string | null {
  const kind = message.match(/^Requires (\w+) access/)?.[1];
  if (kind === undefined) return null;
  return kind === "all"
    ? "it belongs to the operating system, which Deno keeps programs out of: name another path"
    : `Deno was started without the permission for it: start it with --allow-${kind}`;
}
