/** What the page's worker uses of the library's public entries. */
export * from "../../mod.ts";
