import type { Command } from "commander";
import { addVerbose } from "./support/flags.ts";
import { standardOutput } from "./support/output.ts";

/** Adds the verb `report`: draws a run's page from what is in its folder. */
export function addReport(program: Command): void {
  addVerbose(
    program.command("report").description("draw the page of a run, a comparison, a sweep or a tuning anew: report.html")
      .argument("<folder>", "its folder"),
  ).action(async (folder: string) => {
    const { writeReport } = await import("./report/write_report.ts");
    standardOutput("stdout").line(`Written: ${await writeReport(folder)}`);
  });
}
