/**
 * Has the program use the files of this machine, by Node.js, if it has not said others. To be imported for that alone.
 *
 * @module
 */
import { currentFilesIfAny, useFiles } from "../files/current.ts";
import { nodeFiles } from "./node_files.ts";

if (currentFilesIfAny() === null) useFiles(nodeFiles);
