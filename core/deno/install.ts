/**
 * Has the program use the files of this machine, by Deno, if it has not said others: a plug-in that imports the main
 * entry later changes nothing. To be imported for that alone.
 *
 * @module
 */
import { currentFilesIfAny, useFiles } from "../files/current.ts";
import { denoFiles } from "./deno_files.ts";

if (currentFilesIfAny() === null) useFiles(denoFiles);
