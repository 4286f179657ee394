/**
 * The plug-ins that recipes name without a file, and what of them runs by itself; wherever there is JavaScript.
 *
 * @module
 */

export { builtins } from "./builtins.ts";
export { openModel, type OpenModelOptions } from "./open_model.ts";
export { loss } from "./loss.ts";
