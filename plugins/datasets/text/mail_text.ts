import PostalMime from "postal-mime";

/**
 * What a reader sees of a message: its subject, and its text, or that of its HTML. Other headers tell too much of its
 * way.
 *
 * @returns `null` for a message that is beyond what the parser takes: 256 parts in each other, or a head of 2 MiB
 */
export async function mailText(message: string | Uint8Array): Promise<string | null> {
  const parsed = await PostalMime.parse(message).catch((error) => {
    if (error instanceof Error && /^Maximum /.test(error.message)) return null;
    throw error;
  });
  if (!parsed) return null;
  const { subject, text, html } = parsed;
  const plain = text?.trim() ? text : textOfHtml(html ?? "");
  return `${subject ?? ""}\n${plain}`.replace(/\s+/g, " ").trim();
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** HTML without its tags, scripts, styles and comments. Each step takes time by the length, whatever is in the text. */
export function textOfHtml(html: string): string {
  return withoutTags(withoutHidden(html))
    .replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal, hexadecimal, name) => {
      if (name) return ENTITIES[name.toLowerCase()] ?? whole;
      const code = decimal ? Number(decimal) : parseInt(hexadecimal, 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    });
}

/** What no reader sees, by how it begins and ends. */
const HIDDEN: Readonly<Record<string, RegExp>> = {
  "<!--": /-->/g,
  "<script": /<\/script\s*>/gi,
  "<style": /<\/style\s*>/gi,
};

/** Comments, scripts and styles become spaces; one that does not end stays. */
function withoutHidden(html: string): string {
  const unended = new Set<string>();
  let [text, place] = ["", 0];
  for (const { 0: start, index } of html.matchAll(/<!--|<(?:script|style)\b/gi)) {
    const kind = start.toLowerCase();
    if (index < place || unended.has(kind)) continue;
    const end = HIDDEN[kind];
    end.lastIndex = index + start.length;
    if (end.test(html)) {
      text += html.slice(place, index) + " ";
      place = end.lastIndex;
    } else unended.add(kind);
  }
  return text + html.slice(place);
}

/** From each `<` to the next `>` becomes a space. */
function withoutTags(html: string): string {
  let [text, place] = ["", 0];
  while (true) {
    const start = html.indexOf("<", place);
    const end = start < 0 ? -1 : html.indexOf(">", start);
    if (end < 0) return text + html.slice(place);
    text += html.slice(place, start) + " ";
    place = end + 1;
  }
}
