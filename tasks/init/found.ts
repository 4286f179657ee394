import { isAbsolute, relative, resolve } from "node:path";
import type { Entry } from "./entries.ts";

/** What a data set was recognised as. */
export interface FoundData {
  /** For people: `a table of texts`. */
  readonly what: string;
  /** The data set plug-in. */
  readonly use: string;
  /** Its options, as far as the files say them. */
  readonly options: readonly Entry[];
  /** Whether a mirrored picture may be taken for another: `true` for photographs. */
  readonly mayMirror?: boolean;
  /** Whether no example has a label: a teacher alone teaches. */
  readonly isUnlabelled?: boolean;
  /** Columns that tell its examples apart, by which a file of outputs may be joined; pictures have their paths. */
  readonly ids?: readonly string[];
  /** Columns of its texts, which records of outputs may have, too. */
  readonly texts?: readonly TextColumn[];
}

/** A column of texts of a training table. */
export interface TextColumn {
  readonly column: string;
  /** Of each row, without spaces around it. */
  readonly values: readonly string[];
  /** Whether they tell the examples apart. */
  readonly isId: boolean;
}

/** Data sets of picture files. */
export const PICTURE_SETS: readonly string[] = ["image-folder", "image-table"];

/** What of the flags is about the data. */
export interface DataFlags {
  readonly test?: string;
  readonly text?: string;
  readonly pair?: string;
  readonly label?: string;
  readonly task?: string;
  /** Column of the pictures' paths. */
  readonly path?: string;
  /** Folder that these count from. */
  readonly pictures?: string;
  readonly onBad?: string;
}

/** How a recipe in a folder names a file: relative to it, with forward slashes. */
export function nameFrom(folder: string, path: string): string {
  const name = relative(resolve(folder), resolve(path)).replaceAll("\\", "/");
  // On Windows there is no way from one drive to another.
  return isAbsolute(name) ? resolve(path).replaceAll("\\", "/") : name || ".";
}
