import { dirname, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { kindOfPath, makeFolder, writeFileAtomically } from "../../core/files.ts";
import { sealJson } from "../../core/sealed_json.ts";
import { encodePng } from "../report/png.ts";
import { pictureFiles, sheetOf } from "./picture_files.ts";
import { ASSESSED, type AssessReport } from "./report.ts";
import { assessMarkdown } from "./show.ts";

const [MARKDOWN, PAGE] = ["assess.md", "assess.html"];

/** Looks ahead whether the report can be written. @throws UserError if something is in the way */
export async function expectPlace(folder: string): Promise<void> {
  if (![null, "folder"].includes(await kindOfPath(folder))) {
    throw new UserError(`--out ${folder}: Cannot write the assessment there as it is no folder`);
  }
  for (const name of [ASSESSED, MARKDOWN, PAGE]) {
    const path = join(folder, name);
    if (await kindOfPath(path) === "folder") throw new UserError(`Cannot write "${path}" as it is a folder`);
  }
}

/** Writes `assess.json`, `assess.md` with its pictures, and the page `assess.html`. @returns paths of these three */
export async function writeAssessReport(folder: string, report: AssessReport): Promise<string[]> {
  const { assessPage } = await import("../report/assessed.ts");
  const pictures = pictureFiles(report);
  const files = {
    [ASSESSED]: await sealJson(report),
    [MARKDOWN]: assessMarkdown(report, pictures),
    [PAGE]: assessPage(report),
  };
  await makeFolder(folder, "the folder of the assessment");
  for (const [part, name] of pictures) {
    await makeFolder(join(folder, dirname(name)), "the folder of the assessment's pictures");
    await writeFileAtomically(join(folder, name), encodePng(sheetOf(part)));
  }
  const paths: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await writeFileAtomically(path, text);
    paths.push(path);
  }
  return paths;
}
