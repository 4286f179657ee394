/// <reference lib="dom" />
import { parseHTML } from "linkedom";
import { visible } from "../../core/visible.ts";
import type { Alignment } from "../support/table.ts";
import style from "./style.css" with { type: "text" };

/** The document that elements are made in. Texts are escaped when it is written; no HTML is put together by hand. */
export const { document } = parseHTML("<!doctype html><html lang=en><head></head><body></body></html>");

/** What an element may hold; what is not there is left out. */
export type Child = Node | string | null | undefined | readonly Child[];

/** An HTML element with attributes and children; a string is a text. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Child[]
): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, inAttribute(shown(`${value}`)));
  append(made, children);
  return made;
}

/** An attribute's value as it must be set: linkedom escapes the quotation mark alone. */
export function inAttribute(value: string): string {
  return value.replaceAll("&", "&amp;");
}

/** A text with what no eye sees escaped, which may turn a line around; ends of lines and tabs stay. */
function shown(text: string): string {
  return text.split(/([\n\t])/).map((part) => part === "\n" || part === "\t" ? part : visible(part)).join("");
}

function append(parent: HTMLElement, children: readonly Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (typeof child === "string") parent.append(shown(child));
    else if (child !== null && child !== undefined) parent.append(child as Node);
  }
}

/** A section with its heading; `null` if all that it would hold is missing. */
export function section(title: string, ...children: readonly Child[]): HTMLElement | null {
  return holdsNothing(children) ? null : element("section", {}, element("h2", {}, title), ...children);
}

/** Charts beside each other, large ones or small; `null` of none. */
export function grid(look: "charts" | "panels", ...children: readonly Child[]): HTMLElement | null {
  return holdsNothing(children) ? null : element("div", { class: look }, ...children);
}

function holdsNothing(child: Child): boolean {
  return child === null || child === undefined || Array.isArray(child) && child.every(holdsNothing);
}

/**
 * A table whose first column has names; a cell that is no text is put in as it is.
 *
 * @param alignment of its columns, the last goes on; left out: all but the first are numbers
 */
export function table(
  header: readonly Child[],
  rows: readonly (readonly Child[])[],
  alignment: readonly Alignment[] = ["left", "right"],
): HTMLElement | null {
  if (rows.length === 0) return null;
  const look = (column: number): Readonly<Record<string, string>> =>
    (alignment[column] ?? alignment.at(-1)) === "left" ? { class: "words" } : {};
  const cells = (name: string, row: readonly Child[]) =>
    element("tr", {}, row.map((cell, column) => isCell(cell) ? cell : element(name, look(column), cell)));
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      {},
      element("thead", {}, cells("th", header)),
      element("tbody", {}, rows.map((row) => cells("td", row))),
    ),
  );
}

const isCell = (child: Child): child is HTMLElement =>
  typeof child === "object" && child !== null && ["TD", "TH"].includes((child as HTMLElement).tagName);

/**
 * A whole page as text. Its policy forbids scripts and whatever is elsewhere, so that it holds even for a part that
 * would want them.
 */
export function pageOf(title: string, ...children: readonly Child[]): string {
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
  const head = [
    element("meta", { charset: "utf-8" }),
    element("meta", { "http-equiv": "Content-Security-Policy", content: policy }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    // Linkedom writes its text as it is, as those of style and script.
    element("title", {}, title.replaceAll("&", "&amp;").replaceAll("<", "&lt;")),
    element("style", {}, style),
  ];
  const page = element("html", { lang: "en" }, element("head", {}, head), element("body", {}, ...children));
  return `<!doctype html>\n${page.outerHTML}\n`;
}
