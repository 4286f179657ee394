import { z } from "zod";
import { bounded } from "../../core/recipe/bounds.ts";
import type { Checked } from "../../core/recipe/checked.ts";
import { parseChecked } from "../../core/recipe/checked.ts";
import { formatPath, isMap, parsePath, type Path, valueAtPath } from "../../core/recipe/paths.ts";
import { listNames } from "../../core/recipe/words.ts";
import { changesOf } from "../experiment/changes.ts";
import { type Choice, type Lever, type Position, type Range, Space } from "./space.ts";

const number = bounded(z.number().min(-1e12).max(1e12), "no number of a recipe is larger");
const name = z.string().min(1).max(80);
const option = z.union([z.string(), number]);

const lever = z.strictObject({
  key: name.optional().describe("The recipe's value that is changed, as in train.optimiser.learningRate"),
  from: number.optional().describe("Least number that is tried"),
  to: number.optional().describe("Largest number that is tried"),
  scale: z.enum(["log", "linear"]).default("log").describe("Whether ratios or differences of numbers count"),
  values: z.array(z.unknown()).min(1).optional().describe("Values of the key that are tried beside the recipe's own"),
  choices: z.record(name, z.record(z.string(), z.unknown())).optional().describe(
    "By name: what an option changes of the recipe, maps within maps, as the rows of an experiment do",
  ),
  own: name.optional().describe("What the recipe's own setting is called where there are choices"),
  off: z.unknown().optional().describe("The value, or the name of the choice, that means without it"),
  against: z.unknown().optional().describe(
    "The value, or the name of the choice, that the verdict holds it against where it stands as in the recipe; off, if " +
      "it says nothing",
  ),
  unless: z.record(name, z.union([option, z.array(option)])).default({}).describe(
    "Levers before this one, and where they stand when this one has no effect",
  ),
}).superRefine(({ key, from, to, scale, values, choices }, context) => {
  const refuse = (message: string, path: string[] = []) => context.addIssue({ code: "custom", message, path });
  const forms = [from !== undefined || to !== undefined, values !== undefined, choices !== undefined];
  if (forms.filter(Boolean).length !== 1) {
    return refuse("Expected one of key with from and to, key with values, or choices");
  }
  if ((key === undefined) === (choices === undefined)) {
    return refuse(choices === undefined ? "Expected key: it says what is changed" : "Expected no key beside choices");
  }
  if (!forms[0]) return;
  if (from === undefined || to === undefined) return refuse("Expected both from and to");
  if (from >= to) return refuse(`Expected a number above from: got ${to}`, ["to"]);
  if (scale === "log" && from <= 0) refuse(`Expected a number above 0 with scale: log: got ${from}`, ["from"]);
});

/** A space file: what may be changed of a recipe. */
export const spaceSchema = z.strictObject({
  levers: z.record(name, lever).describe("By name, the most important first: the verdict begins with these"),
});

/** A space file as it is written. */
export type SpaceFile = z.input<typeof spaceSchema>;
type Entry = z.output<typeof lever>;

/** A recipe whose values levers change. */
export interface Base {
  /** The recipe as it was written, changes of the command line included. */
  readonly written: unknown;
  /** The same with all defaults filled in. */
  readonly value: unknown;
}

/** Reads a space file. @throws UserError for a mistake in it, with line and column */
export function readSpace(text: string, file: string, base: Base): Space {
  const checked = parseChecked(text, file, spaceSchema);
  const levers: Lever[] = [];
  for (const [name, entry] of Object.entries(checked.value.levers)) {
    levers.push(leverOf(checked, name, entry, levers, base));
  }
  if (levers.length === 0) throw checked.error(["levers"], "Expected at least one lever: got an empty map");
  return new Space(levers);
}

function leverOf(
  checked: Checked<z.output<typeof spaceSchema>>,
  name: string,
  entry: Entry,
  before: readonly Lever[],
  base: Base,
): Lever {
  const at = ["levers", name];
  const pathOf = (key: string, place: Path): Path => {
    try {
      return parsePath(key);
    } catch (error) {
      throw error instanceof SyntaxError ? checked.error(place, error.message) : error;
    }
  };
  const unless = Object.fromEntries(
    Object.entries(entry.unless).map(([other, positions]) => {
      const lever = before.find((lever) => lever.name === other);
      if (!lever) {
        throw checked.error([...at, "unless", other], `Unknown lever "${other}": expected one before this one`, "key");
      }
      const all = [positions].flat().map((position) => lever.kind === "choice" ? String(position) : position);
      for (const position of all) expectPosition(lever, position, (words) => checked.error([...at, "unless"], words));
      return [other, all];
    }),
  );
  if (entry.choices) {
    const own = entry.own ?? "as it is";
    const options = new Map(
      Object.entries(entry.choices).map(([option, changes]) => {
        const place = [...at, "choices", option];
        try {
          return [
            option,
            changesOf(base.written, changes, (path, which) => checked.origin([...place, ...path], which)),
          ];
        } catch (error) {
          throw error instanceof SyntaxError ? checked.error(place, error.message, "key") : error;
        }
      }),
    );
    return withPositions({ kind: "choice", name, own, options, off: null, unless }, (value) => value as Position);
  }
  const path = pathOf(entry.key!, [...at, "key"]);
  const own = valueAtPath(base.value, path);
  if (own === undefined) {
    throw checked.error([...at, "key"], `Cannot change ${entry.key} as the recipe has no such value`);
  }
  if (entry.values) {
    const others = entry.values.filter((value) => !isEqual(value, own));
    if (others.length === 0) {
      throw checked.error([...at, "values"], `Expected a value beside the recipe's own, ${nameOf(own)}: got none`);
    }
    const options = new Map(others.map((value, index) => [
      nameOf(value),
      [{ path, value: structuredClone(value), label: checked.origin([...at, "values", index]) }],
    ]));
    if (options.size < others.length) {
      throw checked.error([...at, "values"], "Expected values that can be told apart: name them by choices");
    }
    const choice: Choice = { kind: "choice", name, own: entry.own ?? nameOf(own), options, off: null, unless };
    return withPositions(choice, (value) => isEqual(value, own) ? choice.own : nameOf(value));
  }
  if (typeof own !== "number") {
    throw checked.error([...at, "key"], `Cannot take ${entry.key} from a range as the recipe's own is ${nameOf(own)}`);
  }
  for (const key of ["off", "against"] as const) {
    if (entry[key] === undefined || typeof entry[key] === "number") continue;
    throw checked.error([...at, key], "Expected a number, as the lever is one");
  }
  const { from, to, scale } = entry as Entry & { from: number; to: number };
  const { off = null, against } = entry as Entry & { off?: number; against?: number };
  const range: Range = { kind: "range", name, own, key: path, from, to, scale, off, unless };
  return against === undefined ? range : { ...range, against };

  function withPositions(choice: Choice, positionOf: (value: unknown) => Position): Choice {
    const given: { off?: Position; against?: Position } = {};
    for (const key of ["off", "against"] as const) {
      if (entry[key] === undefined) continue;
      const position = positionOf(entry[key]);
      expectPosition(choice, position, (words) => checked.error([...at, key], words));
      given[key] = position;
    }
    return { ...choice, ...given };
  }
}

function expectPosition(lever: Lever, position: Position, refuse: (words: string) => Error): void {
  if (lever.kind === "range" ? typeof position === "number" : isOption(lever, position)) return;
  const known = lever.kind === "range" ? "a number" : listNames([String(lever.own), ...lever.options.keys()], "or");
  throw refuse(`Unknown position "${position}" of the lever "${lever.name}": expected ${known}`);
}

const isOption = ({ own, options }: Choice, position: Position) => position === own || options.has(String(position));

/** A value's name: itself, short. */
function nameOf(value: unknown): string {
  if (!isMap(value) && !Array.isArray(value)) return String(value);
  const text = JSON.stringify(value).replaceAll('"', "").replaceAll(/([:,])/g, "$1 ");
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** Whether two values of a recipe are the same, defaults of plug-ins filled in or not. */
function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A lever in a line: what is tried beside the recipe's own setting. */
export function describeLever(lever: Lever): string {
  const tried = lever.kind === "choice"
    ? [...lever.options.keys()].join(", ")
    : `${lever.from} to ${lever.to}${lever.off === null ? "" : `, or ${lever.off}`}`;
  const place = lever.kind === "range" ? ` (${formatPath(lever.key)})` : "";
  return `${lever.name}${place}: ${lever.own}; ${tried}`;
}

/** A space file without what cannot be run: options, and levers that have none left. */
export function withoutRefused(
  { levers }: SpaceFile,
  refused: readonly { readonly lever: string; readonly option: string | null }[],
): SpaceFile {
  const gone = (lever: string, option: string | null) =>
    refused.some((other) => other.lever === lever && (other.option === null || other.option === option));
  const kept: SpaceFile["levers"] = {};
  for (const [name, lever] of Object.entries(levers)) {
    const { choices, values, off, against, unless, ...rest } = lever;
    const left = {
      ...rest,
      ...choices && { choices: Object.fromEntries(Object.entries(choices).filter(([option]) => !gone(name, option))) },
      ...values && { values: values.filter((value) => !gone(name, nameOf(value))) },
      ...off !== undefined && !gone(name, nameOf(off)) && { off },
      ...against !== undefined && !gone(name, nameOf(against)) && { against },
      // What idles a lever may be gone: then it never does.
      ...unless && {
        unless: Object.fromEntries(
          Object.entries(unless).flatMap(([other, at]) => {
            const still = [at].flat().filter((at) => !gone(other, nameOf(at)));
            return kept[other] && still.length > 0 ? [[other, still.length === 1 ? still[0] : still]] : [];
          }),
        ),
      },
    };
    const options = left.choices ? Object.keys(left.choices) : left.values;
    if (gone(name, null) || options?.length === 0) continue;
    kept[name] = left;
  }
  return { levers: kept };
}
