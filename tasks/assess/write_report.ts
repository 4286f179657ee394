import { join } from "node:path";
import { makeFolder, writeFileAtomically } from "../../core/files.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { ASSESSED, type AssessReport } from "./report.ts";
import { assessMarkdown } from "./show.ts";

/** Writes `assess.json`, `assess.md` and the page `assess.html`. @returns their paths */
export async function writeAssessReport(folder: string, report: AssessReport): Promise<string[]> {
  const { assessPage } = await import("../report/assessed.ts");
  const files = {
    [ASSESSED]: await sealJson(report),
    "assess.md": assessMarkdown(report),
    "assess.html": assessPage(report),
  };
  await makeFolder(folder, "the folder of the assessment");
  const paths: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await writeFileAtomically(path, text);
    paths.push(path);
  }
  return paths;
}
