import { fileURLToPath } from "node:url";

/** Fails where a package that the scripts need is not installed; importing them would take seconds. */
const PACKAGES =
  "import importlib.util as u; raise SystemExit(not all(map(u.find_spec, ['torch', 'transformers', 'PIL'])))";

/** What a script did. */
export interface ScriptEnd {
  readonly success: boolean;
  /** What it printed. */
  readonly lines: readonly string[];
  /** What it printed as errors. */
  readonly errors: string;
}

/** Runs `python3`. @throws Deno.errors.NotFound if there is none on the PATH */
async function python(args: readonly string[]): Promise<ScriptEnd> {
  const command = new Deno.Command("python3", {
    args: [...args],
    stdin: "null",
    // Nothing is to be fetched: what the scripts load are folders.
    env: { HF_HUB_OFFLINE: "1" },
  });
  const { success, stdout, stderr } = await command.output();
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { success, lines: out.trimEnd().split("\n"), errors };
}

/** Whether there is a `python3` on the PATH that has torch, transformers and pillow. */
export async function hasTransformers(): Promise<boolean> {
  try {
    return (await python(["-c", PACKAGES])).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs a script of this folder. */
export function runScript(name: string, args: readonly string[]): Promise<ScriptEnd> {
  return python([fileURLToPath(new URL(name, import.meta.url)), ...args]);
}
