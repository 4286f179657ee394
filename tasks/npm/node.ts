/**
 * The package's entry `.` in Node.js, Bun and wherever there are Node.js's modules: core and plug-ins, with the files
 * of this machine in use. In Deno it is `mod.ts`.
 *
 * @module
 */

import "../../core/node/install.ts";

export * from "../../core/mod.ts";
export * from "../../plugins/mod.ts";

// The files of this machine, which are in use unless useFiles names others.
export { nodeFiles } from "../../core/node/node_files.ts";
