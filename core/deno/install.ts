/**
 * Has the program use the files of the machine, by Deno. To be imported for that alone.
 *
 * @module
 */
import { useFiles } from "../files/current.ts";
import { denoFiles } from "./deno_files.ts";

useFiles(denoFiles);
