import type { FileFailure } from "../files/files.ts";

/** What an error of Node.js's says of files; `null` if nothing. */
export function failureOf(error: unknown): FileFailure | null {
  if (!(error instanceof Error)) return null;
  const { code } = error as { code?: unknown };
  if (typeof code !== "string") return null;
  if (code === "ERR_INVALID_ARG_VALUE" && /null bytes/.test(error.message)) {
    return { code: "EINVAL", reason: "no file's name has a NUL character in it" };
  }
  if (code === "ERR_ACCESS_DENIED") {
    const { permission } = error as { permission?: string };
    const flag = permission === "FileSystemRead" ? "read" : "write";
    return { code: "EACCES", reason: `Node.js was started without the permission for it: add --allow-fs-${flag}=*` };
  }
  return code.startsWith("ERR_") ? null : { code };
}
