import { readUserFile } from "../../core/files.ts";
import { parseTable, TABLE_FORMATS, type TableRow } from "../../plugins/datasets/text/columns.ts";
import { decodeText, type Encoding } from "../../plugins/datasets/text/decode_text.ts";

/** Whether a file is a table by its name. */
export function isTable(name: string): boolean {
  return TABLE_FORMATS.some((format) => name.toLowerCase().endsWith(`.${format}`));
}

/** Reads a table in the encoding that its bytes allow. @throws UserError for one that cannot be read */
export async function readRows(path: string): Promise<{ rows: TableRow[]; encoding: Encoding }> {
  const bytes = await readUserFile(path, "the table");
  const format = TABLE_FORMATS.find((known) => path.toLowerCase().endsWith(`.${known}`))!;
  let encoding: Encoding = "utf-8";
  let text: string;
  try {
    text = decodeText(bytes, encoding, path);
  } catch {
    encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "windows-1252";
    text = decodeText(bytes, encoding, path);
  }
  return { rows: parseTable(text, path, { format, quotes: format === "csv", columns: null }), encoding };
}
