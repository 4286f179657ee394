import "../../core/deno/install.ts";
import type { DatasetDefinition, DatasetSetup } from "../../core/plugin/dataset.ts";
import { Random } from "../../core/data/random.ts";
import { UserError } from "../../core/errors.ts";
import { optionKit } from "../../core/plugin/kit.ts";

/** A data set's set-up whose files are these texts. */
export function filesOf(files: Readonly<Record<string, string>>): DatasetSetup {
  const bytes = (text: string) => new TextEncoder().encode(text);
  return {
    readFile: (file) => {
      const text = files[file as string];
      if (text !== undefined) return Promise.resolve(bytes(text));
      const cause = new Deno.errors.NotFound();
      return Promise.reject(new UserError(`Cannot read "${file}" as there is no such file or folder`, { cause }));
    },
    readFolder: (folder) =>
      Promise.resolve(
        new Map(
          Object.entries(files).filter(([name]) => name.startsWith(`${folder}/`))
            .map(([name, text]) => [name.slice(folder.length + 1), bytes(text)]),
        ),
      ),
    openFolder: () => Promise.reject(new Error("no folder is opened")),
    noteInput: () => Promise.resolve(),
    random: new Random(1),
  };
}

/** Loads a data set whose files are these texts. */
export async function loadTexts(
  definition: DatasetDefinition,
  options: Record<string, unknown>,
  files: Readonly<Record<string, string>>,
) {
  return await definition.load(definition.options(optionKit).parse(options), filesOf(files));
}
