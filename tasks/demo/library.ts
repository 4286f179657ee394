/** What the page's worker uses of the library's entries for any place. */
export * from "../../core/mod.ts";
export * from "../../plugins/mod.ts";
