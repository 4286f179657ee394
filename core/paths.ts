/**
 * Paths as the files in use write them: `/` between the parts, on Windows `\` as well. What each function gives is what
 * Node.js's function of that name gives.
 *
 * @module
 */

import { currentFiles, currentFilesIfAny } from "./files/current.ts";
import { type PathStyle, pathStyles } from "./files/path_style.ts";

function style(): PathStyle {
  return pathStyles[currentFilesIfAny()?.paths ?? "posix"];
}

/** Puts parts together, and takes `.` and `..` out as far as that goes. */
export function join(...parts: string[]): string {
  return style().join(...parts);
}

/** The path of what a path is in. */
export function dirname(path: string): string {
  return style().dirname(path);
}

/** The last part of a path. */
export function basename(path: string): string {
  return style().basename(path);
}

/** Whether a path counts from no folder. */
export function isAbsolute(path: string): boolean {
  return style().isAbsolute(path);
}

/** An absolute path: each part counts from those before it, the first from the working folder. */
export function resolve(...parts: string[]): string {
  return style().resolve(currentFiles().workingFolder(), ...parts);
}

/** The path that leads from a folder to another path; absolute if there is none, as from one drive to another. */
export function relative(from: string, to: string): string {
  return style().relative(resolve(from), resolve(to));
}

/** The `file:` address of an absolute path. */
export function fileAddress(path: string): string {
  return style().fileAddress(path);
}
