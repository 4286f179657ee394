import { dirname, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath } from "../../core/files.ts";
import type { TableRow } from "../../plugins/datasets/text/columns.ts";
import { listFolder } from "./listing.ts";

/** Paths of a table that are looked for. */
const SAMPLE = 20;

/**
 * The folder that a table's paths count from: that of the table, one in it, or the one above it.
 *
 * @param table its path
 * @param given the folder that a flag names
 * @throws UserError if the pictures are in none of them
 */
export async function picturesOf(
  table: string,
  rows: readonly TableRow[],
  column: string,
  given: string | undefined,
): Promise<string> {
  const paths = rows.map(({ cells }) => `${cells[column]}`.trim().replaceAll("\\", "/")).filter((path) => path !== "");
  if (given !== undefined) {
    if (await kindOfPath(given) !== "folder") {
      throw new UserError(`--pictures ${given}: Cannot find a folder of that name`);
    }
    return given;
  }
  const own = dirname(table);
  const inside = (await listFolder(own)).folders.map((name) => join(own, name));
  for (const folder of [own, ...inside, dirname(own)]) {
    const there = await Promise.all(paths.slice(0, SAMPLE).map((path) => kindOfPath(join(folder, path))));
    // One of them may be missing, which onBad is about.
    if (there.includes("file")) return folder;
  }
  throw new UserError(
    `Cannot find the pictures of "${table}", the first "${
      paths[0]
    }", in its folder, one in that or the one above: name ` +
      "the folder that their paths count from with --pictures FOLDER",
  );
}
