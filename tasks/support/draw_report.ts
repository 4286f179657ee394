import { UserError } from "../../core/errors.ts";

/**
 * Draws a folder's page, by libraries that are loaded for nothing else. It is drawn of files that are there: whatever
 * fails here, as a full disk, is told, and costs the page alone.
 *
 * @returns its path; `null` if it was not drawn
 */
export async function drawReport(folder: string, warning: (text: string) => void): Promise<string | null> {
  try {
    const { writeReport } = await import("../report/write_report.ts");
    return await writeReport(folder);
  } catch (error) {
    const { message } = error as Error;
    const words = error instanceof UserError ? message : `Internal error in drawing the report: ${message}`;
    warning(`${words}; the results are there, their report is not`);
    return null;
  }
}
