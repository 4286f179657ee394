/**
 * A text as a part of one line of a message: what no eye sees, such as a line end or a byte order mark in mid text, is
 * escaped as in JSON.
 */
export function visible(text: string): string {
  const escape = (letter: string) => {
    const plain = JSON.stringify(letter).slice(1, -1);
    return plain === letter ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}` : plain;
  };
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u00a0\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/gu, escape);
}

/**
 * A text of any length as a part of a line.
 *
 * @param most the most letters of what is returned
 */
export function shorten(text: string, most = 60): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** A path in a message: on one line, and not without end. */
export function visiblePath(path: string): string {
  return visible(shorten(path, 300));
}
