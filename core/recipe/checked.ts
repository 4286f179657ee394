import { OptionError, TensorTooLarge, UserError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { explain, type Mistake } from "./explain.ts";
import { applyOverride, type Override, parseOverride } from "./overrides.ts";
import { isMap, type Path, showPath, startsWith, valueAtPath } from "./paths.ts";
import { listNames, showText, showValue } from "./words.ts";
import { readYaml, type YamlSource } from "./yaml_source.ts";
import type { Schema } from "./zod_schema.ts";

/** Options of {@link parseChecked}. */
export interface ParseOptions {
  /** Values set from outside, in order: texts of `--set`, or what other flags set. */
  overrides?: readonly (string | Override)[];
}

const mostMistakes = 5;

/**
 * Reads a YAML text, sets the overrides in it, and checks it against a schema.
 *
 * @param text the YAML text
 * @param file the name that error messages give it
 * @param schema what is right; its output has the defaults filled in
 * @param options what is set from outside
 * @returns the checked value, which can be checked further and still knows where each part of it was written
 * @throws UserError with one line for each of the first five mistakes: `file:line:column: ` (or the override) and a
 *   sentence that says what would be right
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * const schema = z.strictObject({ epochs: z.int() });
 * const checked = parseChecked("epochs: 3", "recipe.yaml", schema, { overrides: ["epochs=5"] });
 * checked.value.epochs; // 5
 * ```
 */
export function parseChecked<Output>(
  text: string,
  file: string,
  schema: Schema<Output>,
  { overrides = [] }: ParseOptions = {},
): Checked<Output> {
  const source = readYaml(text);
  if (source.problems.length > 0) {
    throw report(
      file,
      source.problems.map(({ offset, sentence }) => `${file}:${source.lineAndColumn(offset)}: ${sentence}`),
    );
  }
  const value = source.value;
  if (!isMap(value)) {
    const found = value === null ? "nothing" : showValue(value);
    throw report(file, [
      `${file}:${source.lineAndColumn(source.offsetOf([], "value") ?? 0)}: Expected a map: got ${found}`,
    ]);
  }
  const parsed = overrides.map((override) => typeof override === "string" ? parseOverride(override) : override);
  for (const override of parsed) applyOverride(value, override);
  const checked = new Checked<unknown>(value, file, source, parsed);
  checked.check([], schema);
  refusePrototypes(checked, value, []);
  return checked as Checked<Output>;
}

/** The one key that goes by a schema which leaves keys to plug-ins: it means something to JavaScript. */
function refusePrototypes(checked: Checked<unknown>, value: unknown, path: Path): void {
  if (Array.isArray(value)) return value.forEach((item, index) => refusePrototypes(checked, item, [...path, index]));
  if (!isMap(value)) return;
  for (const key of Object.keys(value)) {
    if (key === "__proto__") {
      const place = path.length === 0 ? "at the top level" : `in ${showPath(path)}`;
      throw checked.error([...path, key], `Unknown key "${key}" ${place}: no key of a recipe has this name`, "key");
    }
    refusePrototypes(checked, value[key], [...path, key]);
  }
}

/** A part of a checked value with its place: what a stage of a run is handed where it needs no more. */
export interface Section<Value> {
  /** The part. */
  readonly value: Value;
  /** An error about something in it, by its path from the part on; see {@link Checked.error}. */
  error(path: Path, sentence: string): UserError;
  /** Runs something that may find a mistake there; see {@link Checked.within}. */
  within<Result>(path: Path, body: () => Result): Result;
  /** A part of the part. */
  part<Key extends keyof Value & (string | number)>(key: Key): PartOf<Value[Key]>;
}

/** A part with its place; `null` where the recipe has none. */
export type PartOf<Part> = Part extends null ? null : Section<Part>;

/** What an error says of a checked value. */
export interface Located {
  /** The value's file. */
  readonly file: string;
  /** In the order of the file; none where the file cannot be read at all. */
  readonly mistakes: readonly Mistake[];
}

/** Errors that say already where the mistake is. */
const located = new WeakMap<UserError, Located>();

/** What an error says of a recipe or another checked file; `null` if it names no place in one. */
export function mistakesOf(error: unknown): Located | null {
  return error instanceof UserError ? located.get(error) ?? null : null;
}

/** A value that was checked against a schema, and that knows where each part of it was written. */
export class Checked<Value> implements Section<Value> {
  /** The value; {@link Checked.check} replaces parts of it. */
  value: Value;
  /** The file's name as given. */
  readonly file: string;
  readonly #source: YamlSource;
  readonly #overrides: readonly Override[];

  /** Made by {@link parseChecked}. */
  constructor(value: Value, file: string, source: YamlSource, overrides: readonly Override[]) {
    this.value = value;
    this.file = file;
    this.#source = source;
    this.#overrides = overrides;
  }

  /**
   * Checks a part of the value against a schema of its own and puts the schema's output in its place. So a plug-in's
   * options are checked by the plug-in, with errors as good as those of the rest.
   *
   * @param path the part
   * @param schema what is right for it. What it gives must be something that it also takes, or the resolved recipe
   *   could not be read again.
   * @param otherKeys keys of the part that the schema is not asked about, since they are everybody's: `use`, `weight`
   * @returns the schema's output, without the other keys
   * @throws UserError as {@link parseChecked}
   */
  check<Output>(path: Path, schema: Schema<Output>, otherKeys: readonly string[] = []): Output {
    const part = valueAtPath(this.value, path);
    const kept: Record<string, unknown> = {};
    let asked = part;
    if (otherKeys.length > 0 && isMap(part)) {
      const entries = Object.entries(part);
      Object.assign(kept, Object.fromEntries(entries.filter(([key]) => otherKeys.includes(key))));
      asked = Object.fromEntries(entries.filter(([key]) => !otherKeys.includes(key)));
    }
    const result = schema.safeParse(asked);
    if (!result.success) throw this.#refuse(explain(result.error, schema, { value: part, path, otherKeys }));
    this.#replace(path, isMap(result.data) ? { ...kept, ...result.data } : result.data);
    return result.data;
  }

  /**
   * Checks that a name is one of those there are.
   *
   * @param path where the name stands
   * @param kind what it names, for the message: `loss`
   * @param names all there are
   * @returns the name
   * @throws UserError `Unknown loss "kdd" for losses[1].use: did you mean "kd"?`
   */
  oneOf(path: Path, kind: string, names: readonly string[]): string {
    const name = String(valueAtPath(this.value, path));
    if (names.includes(name)) return name;
    const near = nearest(name, names);
    const advice = near === undefined ? `expected ${listNames(names, "or")}` : `did you mean "${near}"?`;
    throw this.error(path, `Unknown ${kind} ${showText(name)} for ${showPath(path)}: ${advice}`);
  }

  /**
   * An error about a part of the value that only shows later: a missing file, an impossible factorisation.
   *
   * @param path the part
   * @param sentence what is wrong and what would be right
   * @param at whether to point at the part's key or at its value
   * @returns the error, to be thrown
   */
  error(path: Path, sentence: string, at: "key" | "value" = "value"): UserError {
    return this.#refuse([{ path, at, sentence }]);
  }

  /**
   * Runs something that a part of the value asks for. A {@link UserError} that it ends with gets the part's place,
   * unless it has one; an {@link OptionError} that of its option.
   *
   * @param path the part
   * @param body what is run; it may return a promise
   * @returns what it returns
   * @throws UserError with the place of the part
   *
   * @example
   * ```ts
   * import { parseChecked } from "./checked.ts";
   * import { z } from "zod";
   *
   * const checked = parseChecked("size: 7", "recipe.yaml", z.strictObject({ size: z.int() }));
   * const half = checked.within(["size"], () => Math.floor(checked.value.size / 2));
   * ```
   */
  within<Result>(path: Path, body: () => Result): Result {
    const place = (error: unknown): never => {
      // A tensor that is too large is no fault of the part that asked for it, and may be asked for again in parts.
      if (!(error instanceof UserError) || error instanceof TensorTooLarge || located.has(error)) throw error;
      const placed = this.error(error instanceof OptionError ? [...path, ...error.path] : path, error.message);
      // The error of a plug-in that this one tells of, for --verbose.
      if (error.cause !== undefined) placed.cause = error.cause;
      throw placed;
    };
    try {
      const result = body();
      return result instanceof Promise ? result.catch(place) as Result : result;
    } catch (error) {
      return place(error);
    }
  }

  /**
   * A part of the value with its place.
   *
   * @param key its key
   * @returns the part as it is now; what is checked later is not in it
   */
  part<Key extends keyof Value & (string | number)>(key: Key): PartOf<Value[Key]> {
    return this.#section([key], this.value[key]);
  }

  #section<Part>(path: Path, value: Part): PartOf<Part> {
    if (value === null) return null as PartOf<Part>;
    const section: Section<Part> = {
      value,
      error: (below, sentence) => this.error([...path, ...below], sentence),
      within: (below, body) => this.within([...path, ...below], body),
      part: (key) => this.#section([...path, key], value![key]),
    };
    return section as PartOf<Part>;
  }

  /**
   * Where a part of the value comes from.
   *
   * @param path the part
   * @param at its key or its value
   * @returns `file:line:column`, those of the nearest part around it when it is a default, or the override that set it
   */
  origin(path: Path, at: "key" | "value" = "value"): string {
    const { label, offset } = this.#place(path, at);
    return label ?? `${this.file}:${this.#source.lineAndColumn(offset)}`;
  }

  #place(path: Path, at: "key" | "value"): { label?: string; offset: number } {
    const setting = this.#overrides.findLast((override) => startsWith(path, override.path));
    if (setting) {
      const inside = path.slice(setting.path.length);
      return { label: inside.length > 0 && setting.origin?.(inside, at) || setting.label, offset: Infinity };
    }
    const offset = this.#source.offsetOf(path, at);
    if (offset !== undefined) return { offset };
    // Not in the text: made by an override of something in it, or a default of what is around it.
    const making = this.#overrides.find((override) => startsWith(override.path, path));
    if (making) return { label: making.label, offset: Infinity };
    return path.length === 0 ? { offset: 0 } : this.#place(path.slice(0, -1), "value");
  }

  #refuse(mistakes: readonly Mistake[]): UserError {
    const placed = mistakes.map(({ path, at, sentence }) => ({
      offset: this.#place(path, at).offset,
      line: `${this.origin(path, at)}: ${sentence}`,
      mistake: { path, at, sentence },
    }));
    // In the order of the file; Infinity - Infinity is NaN, which a comparison must not give.
    placed.sort((a, b) => a.offset === b.offset ? 0 : a.offset - b.offset);
    return report(this.file, placed.map(({ line }) => line), placed.map(({ mistake }) => mistake));
  }

  #replace(path: Path, part: unknown): void {
    if (path.length === 0) this.value = part as Value;
    else Reflect.set(valueAtPath(this.value, path.slice(0, -1)) as object, path.at(-1)!, part);
  }
}

function report(file: string, lines: readonly string[], mistakes: readonly Mistake[] = []): UserError {
  const more = lines.length - mostMistakes;
  const error = new UserError([...lines.slice(0, mostMistakes), ...(more > 0 ? [`and ${more} more`] : [])].join("\n"));
  located.set(error, { file, mistakes });
  return error;
}
