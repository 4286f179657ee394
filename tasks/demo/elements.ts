/** An element of the page by its id. */
export function element<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`There is no ${kind.name} "${id}" in the page`);
  return found;
}

/** A number with its thousands apart. */
export const grouped = (value: number): string => value.toLocaleString("en");

/** `87.9 %` */
export const percent = (part: number, digits = 1): string => `${(100 * part).toFixed(digits)} %`;

/** The sentence of what was thrown. */
export const wordsOf = (error: unknown): string => error instanceof Error ? error.message : String(error);

/** Shows a sentence in an element that is hidden while there is none. */
export function showError(target: HTMLElement, text: string | null): void {
  target.hidden = text === null;
  target.textContent = text ?? "";
}
