/**
 * Has the program use the files of this machine, by Deno, if it has not said others: a plug-in that imports the main
 * entry later changes nothing; and this machine's matrix library, where it may be loaded. To be imported for that
 * alone.
 *
 * @module
 */
import { currentFilesIfAny, useFiles } from "../files/current.ts";
import { findLibrariesBy } from "../native_library.ts";
import { denoFiles } from "./deno_files.ts";
import { allowedLibrary } from "./native_libraries.ts";

if (currentFilesIfAny() === null) useFiles(denoFiles);
findLibrariesBy(allowedLibrary);
