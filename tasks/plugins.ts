import type { Command } from "commander";
import { optionKit } from "../core/plugin/kit.ts";
import { recipeJsonSchema } from "../core/recipe/json_schema.ts";
import { acceptedBy } from "../core/recipe/expected.ts";
import { confined } from "./support/confine.ts";
import { addVerbose } from "./support/flags.ts";
import { allBuiltins, findPlugin, type FoundPlugin, kindTitles } from "./support/find_plugin.ts";
import { optionRows } from "./support/option_rows.ts";
import { standardOutput, stylesOf } from "./support/output.ts";
import { alignColumns } from "./support/table.ts";

/** Adds the verb `plugins`: what recipes can name. */
export function addPlugins(program: Command): void {
  const plugins = addVerbose(
    program.command("plugins").description("list the models, losses and data sets that a recipe can name"),
  );
  plugins.action(() => list());
  addVerbose(
    plugins.command("show").description("what one computes, where it is from, and its options")
      .argument("<plugin>", "built-in name, or file"),
  ).action((use: string) => confined([], async () => show(await findPlugin(use))));
  addVerbose(
    plugins.command("schema").description("print the JSON schema of recipes, by which editors complete and check them"),
  ).action(() => standardOutput("stdout").line(JSON.stringify(recipeJsonSchema(), null, 2)));
}

function list(): void {
  const out = standardOutput("stdout");
  const { strong } = stylesOf(out);
  const all = allBuiltins();
  // One alignment over all kinds.
  const lines = alignColumns(all.map(({ name, description, source = "" }) => [name, description, source]), ["left"]);
  for (const [kind, title] of Object.entries(kindTitles)) {
    out.line(strong(title));
    all.forEach((definition, index) => {
      if (definition.kind === kind) out.line(`  ${lines[index]}`);
    });
  }
}

function show({ definition, file }: FoundPlugin): void {
  const out = standardOutput("stdout");
  const { strong } = stylesOf(out);
  const { kind, name, description, equation, source, options } = definition;
  out.line(strong(`${name} (${kind === "dataset" ? "data set" : kind})`));
  const facts = { what: description, equation, source, file };
  const given = Object.entries(facts).flatMap(([label, text]) => text ? [[label, text]] : []);
  for (const line of alignColumns(given, ["left"])) out.line(`  ${line}`);
  const schema = options(optionKit);
  const rows = optionRows(acceptedBy(schema), schema.safeParse({}).data);
  out.line(strong(rows.length > 0 ? "options" : "no options"));
  const cells = rows.map(({ name, expected, value, description }) => [name, value, expected, description]);
  for (const line of alignColumns(cells, ["left"])) out.line(`  ${line}`);
}
