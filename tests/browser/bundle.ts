import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CHECKOUT } from "../support/task.ts";

/** Bundles test files into one module that runs in a browser's worker. @throws Error with what the bundler says */
export async function bundleSuite(
  files: readonly string[],
  folder: string,
): Promise<string> {
  const here = join(CHECKOUT, "tests", "browser");
  const entry = join(folder, "entry.ts");
  const imports = files.map((file) => `import "${pathToFileURL(join(CHECKOUT, file))}";`);
  const globals = pathToFileURL(join(here, "globals.ts"));
  await Deno.writeTextFile(
    entry,
    `import { runAll } from "${globals}";\n${imports.join("\n")}\nawait runAll((outcome) => postMessage(outcome));\n` +
      "postMessage(null);\n",
  );
  const output = join(folder, "suite.js");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--no-config",
      "--import-map",
      join(here, "bundle.json"),
      "--platform",
      "browser",
      "--quiet",
      "-o",
      output,
      entry,
    ],
    cwd: CHECKOUT,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot bundle the tests: ${new TextDecoder().decode(stderr)}`,
    );
  }
  return output;
}
