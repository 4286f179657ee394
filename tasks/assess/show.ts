import type { Shown } from "../../core/assess/shown.ts";
import { markdownTable } from "../experiment/tables.ts";
import { grouped } from "../support/format.ts";
import type { Styles } from "../support/output.ts";
import { alignColumns } from "../support/table.ts";
import type { AssessReport } from "./report.ts";

/** Lines for a terminal: each section's tables and notes; its pictures are on the page. */
export function showAssessment({ sections, examples, recipe }: AssessReport, styles: Styles): string[] {
  return [
    `${grouped(examples)} test examples of ${recipe}`,
    ...sections.flatMap((
      { title, shown },
    ) => ["", styles.strong(title), ...shown.flatMap((part) => lines(part, styles))]),
  ];
}

function lines(part: Shown, { strong, warning }: Styles): string[] {
  if (part.kind === "note") return [part.warning ? warning(part.text) : part.text];
  if (part.kind !== "table") return [];
  const [header, ...rows] = alignColumns([part.header, ...part.rows], ["left", "right"]);
  return ["", part.title, strong(header), ...rows];
}

/** The same as Markdown. @param files of pictures, from the folder that it is written to */
export function assessMarkdown(
  { sections, subjects, teacher, examples, recipe, version }: AssessReport,
  files: ReadonlyMap<Shown, string>,
): string {
  const parts = [
    "# Assessment",
    `OPDF ${version}, ${grouped(examples)} test examples of ${recipe}.`,
    markdownTable(
      ["model", "architecture", "parameters"],
      subjects.map(({ name, architecture, parameters }) => [
        name === teacher ? `${name} (teacher)` : name,
        architecture,
        grouped(parameters),
      ]),
    ),
    ...sections.flatMap(({ title, shown }) => [`## ${title}`, ...shown.flatMap((part) => markdownOf(part, files))]),
  ];
  return parts.join("\n\n") + "\n";
}

function markdownOf(part: Shown, files: ReadonlyMap<Shown, string>): string[] {
  if (part.kind === "note") return [part.warning ? `**${part.text}**` : part.text];
  const file = files.get(part);
  if (part.kind === "pictures" && file !== undefined) {
    const captions = part.pictures.map(({ caption }) => caption).join(", ");
    const notes = part.note ? [`(${part.note})`] : [];
    return [`### ${part.title}`, `![${part.title}](${file})`, `From left to right: ${captions}.`, ...notes];
  }
  return part.kind === "table" ? [`### ${part.title}`, markdownTable(part.header, part.rows)] : [];
}
