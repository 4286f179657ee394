import { expectArguments } from "../arguments.ts";
import { UserError } from "../errors.ts";
import type { Files } from "./files.ts";

let current: Files | null = null;

/**
 * Says which files the program uses from now on. The package's main entry does it for Deno; `./core` and `./plugins`
 * leave it to whoever imports them.
 *
 * @example
 * ```ts
 * import { memoryFiles, useFiles } from "@opdf/opdf/core";
 *
 * useFiles(memoryFiles());
 * ```
 */
export function useFiles(files: Files): void {
  expectArguments("useFiles", { files: [files, "files (see memoryFiles)"] });
  current = files;
}

/** The files in use. @throws UserError if none were named */
export function currentFiles(): Files {
  if (current) return current;
  throw new UserError(
    "Cannot use files before it is said which: import the package's main entry, or call useFiles(memoryFiles())",
  );
}

/** The same; `null` if none were named. */
export function currentFilesIfAny(): Files | null {
  return current;
}
