import PostalMime from "postal-mime";

/**
 * What a reader sees of a message: its subject, and its text, or that of its HTML. Other headers tell too much of its
 * way.
 */
export async function mailText(message: string | Uint8Array): Promise<string> {
  const { subject, text, html } = await PostalMime.parse(message);
  const plain = text?.trim() ? text : textOfHtml(html ?? "");
  return `${subject ?? ""}\n${plain}`.replace(/\s+/g, " ").trim();
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** HTML without its tags, scripts, styles and comments. */
export function textOfHtml(html: string): string {
  return html
    .replace(/<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?<\/\1\s*>/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal, hexadecimal, name) => {
      if (name) return ENTITIES[name.toLowerCase()] ?? whole;
      const code = decimal ? Number(decimal) : parseInt(hexadecimal, 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    });
}
