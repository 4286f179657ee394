import type { Builtins } from "../../core/plugin/registry.ts";
import { builtins } from "../../plugins/builtins.ts";

/** The flag that {@link allowedPlugins} goes by. */
export interface PluginFlags {
  readonly allowPluginUrl?: boolean;
}

/** The plug-ins that a recipe may name: the built-in ones, files, and URLs if the user says so. */
export function allowedPlugins({ allowPluginUrl = false }: PluginFlags): Builtins {
  return { ...builtins, allowUrls: allowPluginUrl };
}
