import { describeExpected, type JsonSchema, schemasAt } from "../../core/recipe/expected.ts";
import { isMap } from "../../core/recipe/paths.ts";

/** An option of a plug-in in words. */
export interface OptionRow {
  /** `pairs[].student` for one within a list of maps. */
  readonly name: string;
  /** Its type and range. */
  readonly expected: string;
  /** Its default, or whether it must be given. */
  readonly value: string;
  readonly description: string;
}

/**
 * The options that a schema takes, those of maps after the map that they are in.
 *
 * @param defaults what it makes of no options; `undefined` if some must be given
 * @param prefix what the names begin with
 */
export function optionRows(schema: JsonSchema, defaults: unknown, prefix = ""): OptionRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]): OptionRow[] => {
    const name = prefix + key;
    const preset = (isMap(defaults) ? defaults[key] : undefined) ?? inner.default;
    const alternatives = schemasAt(inner, [], undefined);
    const row = {
      name,
      expected: describeExpected(alternatives) ?? "what its description says",
      value: preset === undefined ? (schema.required?.includes(key) ? "required" : "") : `default ${plain(preset)}`,
      description: (inner as { description?: string }).description ?? "",
    };
    // What a schedule is made of is the same everywhere and not an option of its own.
    const [only] = alternatives.length === 1 ? alternatives : [];
    if (only?.properties) return [{ ...row, value: "" }, ...optionRows(only, preset, `${name}.`)];
    return typeof only?.items === "object" ? [row, ...optionRows(only.items, undefined, `${name}[].`)] : [row];
  });
}

/** As a recipe has it: words without quotes. */
function plain(value: unknown): string {
  return typeof value === "string" && /^[\w./-]+$/.test(value) ? value : JSON.stringify(value);
}
