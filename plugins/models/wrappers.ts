/**
 * A tensor's name without what wrappers put into it: data-parallel training before the whole, and torch.compile before
 * the whole or before the names of the part that it compiled.
 */
export function unwrapped(name: string): string {
  return name.replace(/(^|\.)(?:_orig_mod\.)+/g, "$1").replace(/^(?:module\.)+/, "");
}
